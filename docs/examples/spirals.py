import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
radius = torch.rand(600)
arm = torch.randint(0, 3, (600,))
angle = radius * 5 + arm * 2.1 + torch.randn(600) * 0.1
points = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 64)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(64, 3)

    def forward(self, x):
        return self.out(self.drop(torch.tanh(self.hidden(x))))

model = Net()
loader = DataLoader(TensorDataset(points, arm), batch_size=50, shuffle=True)
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
optimizer = optim.AdamW(model.parameters(), lr=0.03, weight_decay=0.01)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=40, gamma=0.5)

for epoch in range(100):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item() * len(x)
    scheduler.step()
    if epoch % 20 == 19:
        print(epoch + 1, f'{total / 600:.6f}')

model.eval()
with torch.no_grad():
    right = (model(points).argmax(dim=1) == arm).sum().item()
print('accuracy', right / 600)
