"""Training steps of PyTorch, as its users write them."""
import torch
import torch.nn.functional as F
from torch import nn


class Training:
    def __init__(self, model, inputs, data, compute_loss, make_optimizer):
        values = [value for name, value in inputs.items() if name not in data]
        parameters = list(model.parameters())
        assert len(values) == len(parameters)
        with torch.no_grad():
            for parameter, value in zip(parameters, values):
                parameter.copy_(value)
        self.compute_loss, self.optimizer = compute_loss, make_optimizer(parameters)

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss = self.compute_loss()
        self.loss.backward()
        self.optimizer.step()

    def results(self):
        return {"loss": self.loss}


def linear(weight):
    return nn.Linear(weight.shape[1], weight.shape[0])


def sgd(sizes):
    return lambda parameters: torch.optim.SGD(parameters, lr=sizes["lr"], momentum=sizes.get("momentum", 0))


def adam(sizes):
    return lambda parameters: torch.optim.Adam(parameters, lr=sizes["lr"])


def tiny(i, sizes):
    model = nn.Sequential(linear(i["w1"]), nn.Tanh(), linear(i["w2"]), nn.Tanh(), linear(i["w3"]))
    return Training(model, i, ["x", "target"], lambda: F.mse_loss(model(i["x"]), i["target"]), sgd(sizes))


def classifier(make_model, optimizer):
    def prepare(i, sizes):
        model = make_model(i)
        return Training(
            model, i, ["x", "labels"], lambda: F.cross_entropy(model(i["x"]), i["labels"]), optimizer(sizes)
        )

    return prepare


def mlp(i):
    return nn.Sequential(linear(i["w1"]), nn.ReLU(), linear(i["w2"]), nn.ReLU(), linear(i["w3"]))


def lenet(i):
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        linear(i["w1"]), nn.ReLU(), linear(i["w2"]), nn.ReLU(), linear(i["w3"]),
    )  # fmt: skip


class Recurrent(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.lstm = nn.LSTM(sizes["inputs"], sizes["hidden"])
        self.head = nn.Linear(sizes["hidden"], 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][-1])


def lstm(i, sizes):
    model = Recurrent(sizes)
    # torch.nn.LSTM lists both weights before both biases.
    names = ["x", "labels", "iw", "hw", "ib", "hb", "w", "b"]
    i = {name: i[name] for name in names}
    return Training(model, i, ["x", "labels"], lambda: F.cross_entropy(model(i["x"]), i["labels"]), sgd(sizes))


class Layer(nn.Module):
    def __init__(self, width, heads, block):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.register_buffer("mask", torch.ones(block, block, dtype=torch.bool).tril().logical_not())

    def attention(self, x):
        batch, block, width = x.shape
        q, k, v = (
            part.view(batch, block, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(x).chunk(3, 2)
        )
        scores = q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5
        mixed = F.softmax(scores.masked_fill(self.mask, float("-inf")), -1) @ v
        return mixed.transpose(1, 2).reshape(batch, block, width)

    def forward(self, x):
        x = x + self.project(self.attention(self.norm1(x)))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Model(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        width, block = sizes["width"], sizes["block"]
        self.token = nn.Embedding(sizes["tokens"], width)
        self.position = nn.Embedding(block, width)
        self.layers = nn.Sequential(*[Layer(width, sizes["heads"], block) for _ in range(sizes["layers"])])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, sizes["tokens"], bias=False)
        self.register_buffer("places", torch.arange(block))

    def forward(self, ids):
        return self.head(self.norm(self.layers(self.token(ids) + self.position(self.places))))


def gpt(i, sizes):
    model = Model(sizes)

    def compute_loss():
        return F.cross_entropy(model(i["ids"]).view(-1, sizes["tokens"]), i["labels"])

    def adamw(parameters):
        return torch.optim.AdamW(parameters, lr=sizes["lr"], weight_decay=sizes["weightDecay"])

    return Training(model, i, ["ids", "labels"], compute_loss, adamw)


OPERATIONS = {
    "mlp-tiny-sgd": tiny,
    "mlp-sgd": classifier(mlp, sgd),
    "mlp-adam": classifier(mlp, adam),
    "lenet-adam": classifier(lenet, adam),
    "lstm-sgd": lstm,
    "gpt-adamw": gpt,
}
