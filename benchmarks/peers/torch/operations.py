"""What PyTorch does for each operation of the cases."""
import torch
import torch.nn.functional as F

import networks


class Forward:
    """A result without gradients."""

    def __init__(self, compute, inputs):
        self.compute, self.inputs = compute, inputs

    def step(self):
        with torch.no_grad():
            self.out = self.compute(self.inputs)

    def results(self):
        return {"out": self.out}


class Backward:
    """Gradients of a result with respect to leaves."""

    def __init__(self, compute, inputs, names):
        self.leaves = {name: inputs[name].clone().requires_grad_() for name in names}
        self.compute, self.inputs = compute, {**inputs, **self.leaves}

    def step(self):
        for leaf in self.leaves.values():
            leaf.grad = None
        self.out, cotangent = self.compute(self.inputs)
        self.out.backward(cotangent)

    def results(self):
        return {"out": self.out, **{name: leaf.grad for name, leaf in self.leaves.items()}}


def forward(compute):
    return lambda inputs, sizes: Forward(compute, inputs)


def chain(inputs, sizes):
    ones = torch.ones_like(inputs["x"])

    def compute(inputs):
        out, a, b = inputs["x"], inputs["a"], inputs["b"]
        for _ in range(sizes["ops"] // 2):
            out = out * a
            out = out + b
        return out, ones

    return Backward(compute, inputs, ["x", "a", "b"])


def conv_backward(inputs, sizes):
    return Backward(lambda i: (F.conv2d(i["x"], i["w"], padding=1), i["g"]), inputs, ["x", "w"])


OPERATIONS = {
    "matmul": forward(lambda i: i["a"] @ i["b"]),
    "add": forward(lambda i: i["a"] + i["b"]),
    "axpb": forward(lambda i: i["x"] * 1.5 + 0.5),
    "axpb-once": forward(lambda i: torch.add(torch.tensor(0.5), i["x"], alpha=1.5)),
    "relu": forward(lambda i: torch.relu(i["x"])),
    "exp": forward(lambda i: torch.exp(i["x"])),
    "tanh": forward(lambda i: torch.tanh(i["x"])),
    "gelu": forward(lambda i: F.gelu(i["x"], approximate="tanh")),
    "sum": forward(lambda i: i["x"].sum()),
    "mean": forward(lambda i: i["x"].mean()),
    "softmax": forward(lambda i: F.softmax(i["x"], -1)),
    "layer-norm": forward(lambda i: F.layer_norm(i["x"], [1000], i["weight"], i["bias"])),
    "conv-forward": forward(lambda i: F.conv2d(i["x"], i["w"], padding=1)),
    "conv-backward": conv_backward,
    "chain": chain,
    **networks.OPERATIONS,
}
