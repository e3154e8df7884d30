"""Writes training.pt: what a PyTorch script saves in the middle of a training, and tensors of all dtypes and layouts."""
import copy
import pathlib
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 3, bias=False), torch.nn.BatchNorm1d(3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.5, betas=(0.75, 0.875))
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [4, 7, 7])


def step():
    optimizer.zero_grad()
    (model(torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])) - 1).pow(3).sum().backward()
    optimizer.step()
    scheduler.step()
    return copy.deepcopy(model.state_dict())


step()
saved = copy.deepcopy({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": scheduler.state_dict()})
grid = torch.arange(12.0).view(3, 4)
dtypes = ["float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]
torch.save(
    {
        **saved,
        "after": step(),
        "plain": {"epoch": 5, "loss": 0.25, "seed": 2**60, "low": -70000, "name": "Über", "best": None, "done": True, "size": torch.Size([2, 3])},
        "layouts": {"turned": grid.t(), "part": grid[1:, 1:3], "wide": grid[0].expand(2, 4), "none": torch.zeros(0, 3), "one": torch.tensor(7.0)},
        "dtypes": {name: torch.tensor([0, 1, 100]).to(getattr(torch, name)) for name in dtypes},
        "parameter": torch.nn.Parameter(grid[2]),
    },
    pathlib.Path(__file__).with_suffix(".pt"),
)
