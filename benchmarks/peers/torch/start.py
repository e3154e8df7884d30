import torch

w = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
torch.tensor([1.0, 2.0, 3.0]).mul(w).tanh().sum().backward()
print(w.grad.tolist())
