"""A small convolutional classifier: BatchNorm, dropout, label smoothing, OneCycleLR, norm clipping, evaluation."""
import torch
from torch import nn
import torch.nn.functional as F

STEPS = 40


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, stride=2, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.drop2d = nn.Dropout2d(0.1)
        self.dropout = nn.Dropout(0.25)
        self.fc1 = nn.Linear(16 * 3 * 3, 32)
        self.bn3 = nn.BatchNorm1d(32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = self.drop2d(F.relu(self.bn2(self.conv2(x))))
        x = torch.flatten(x, 1)
        x = self.dropout(F.relu(self.bn3(self.fc1(x))))
        return self.fc2(x)


def train(dtype):
    images = torch.rand(64, 1, 12, 12).to(dtype)
    labels = torch.randint(0, 10, (64,))
    model = Net().to(dtype)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, nesterov=True)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=STEPS)
    losses = []
    for step in range(STEPS):
        model.train()
        batch = torch.randperm(64)[:16]
        optimizer.zero_grad()
        loss = criterion(model(images[batch]), labels[batch])
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
        if step % 10 == 9:
            losses.append(norm.item())
            model.eval()
            with torch.no_grad():
                losses.append(F.cross_entropy(model(images), labels).item())
    return losses
