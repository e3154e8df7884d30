"""Small trainings, each with parts that the larger ones do not have."""
import torch
from torch import nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler, random_split

STEPS = 16


def fitted(model, loss_of, optimizer, after=lambda loss: None):
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        after(loss)
        losses.append(loss.item())
    return losses


def packed_gru(dtype):
    sequences = [torch.randn(n, 5).to(dtype) for n in (3, 7, 5, 6)]
    lengths = torch.tensor([len(s) for s in sequences])
    x = pad_sequence(sequences, batch_first=True)
    y = torch.randint(0, 3, (4,))
    model = nn.ModuleDict({
        'gru': nn.GRU(5, 8, num_layers=2, batch_first=True, bidirectional=True, dropout=0.25),
        'head': nn.Linear(32, 3),
    }).to(dtype)

    def loss_of():
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, hidden = model['gru'](packed)
        padded, sizes = pad_packed_sequence(output, batch_first=True)
        mean = padded.sum(1) / sizes.unsqueeze(1)
        return F.cross_entropy(model['head'](torch.cat([mean, hidden[-1], hidden[-2]], dim=1)), y)

    return fitted(model, loss_of, torch.optim.RMSprop(model.parameters(), lr=2e-3, momentum=0.5, centered=True))


def bidirectional_lstm(dtype):
    x = torch.randn(4, 6, 5).to(dtype)
    y = torch.randint(0, 2, (4, 6)).to(dtype)
    lstm = nn.LSTM(5, 8, 3, batch_first=True, bidirectional=True, dropout=0.5, proj_size=4)
    model = nn.ModuleList([lstm, nn.Linear(8, 1)]).to(dtype)

    def loss_of():
        output, (h, c) = model[0](x)
        return F.binary_cross_entropy_with_logits(model[1](output).squeeze(-1), y) + 0.01 * c.pow(2).mean()

    return fitted(model, loss_of, torch.optim.NAdam(model.parameters(), lr=5e-3))


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(12, 16, padding_idx=0)
        layer = nn.TransformerEncoderLayer(d_model=16, nhead=4, dim_feedforward=32, dropout=0.1, activation='gelu',
                                           batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2, norm=nn.LayerNorm(16))
        self.head = nn.Linear(16, 12)

    def forward(self, ids):
        mask = nn.Transformer.generate_square_subsequent_mask(ids.size(1)).to(self.head.weight.dtype)
        h = self.encoder(self.embedding(ids), mask=mask, src_key_padding_mask=ids == 0)
        return self.head(h)


def transformer_encoder(dtype):
    ids = torch.randint(1, 12, (4, 7))
    ids[1, 5:] = 0
    ids[3, 3:] = 0
    model = Classifier().to(dtype)
    criterion = nn.CrossEntropyLoss(ignore_index=0)

    def loss_of():
        logits = model(ids[:, :-1])
        return criterion(logits.transpose(1, 2), ids[:, 1:])

    optimizer = torch.optim.RAdam(model.parameters(), lr=3e-3)
    scheduler = lr_scheduler.SequentialLR(
        optimizer,
        [lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=5),
         lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS - 5)],
        milestones=[5],
    )
    return fitted(model, loss_of, optimizer, lambda loss: scheduler.step())


def transformer(dtype):
    model = nn.Transformer(d_model=8, nhead=2, num_encoder_layers=1, num_decoder_layers=2, dim_feedforward=16).to(dtype)
    src = torch.rand(5, 3, 8).to(dtype)
    tgt = torch.rand(4, 3, 8).to(dtype)
    mask = torch.triu(torch.full((4, 4), float('-inf')), diagonal=1).to(dtype)

    def loss_of():
        return F.mse_loss(model(src, tgt, tgt_mask=mask), tgt)

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9)
    scheduler = lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=6, T_mult=2, eta_min=1e-5)
    return fitted(model, loss_of, optimizer, lambda loss: scheduler.step())


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1, padding_mode='reflect')
        self.group = nn.GroupNorm(4, 8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding='same', groups=8, dilation=2)
        self.instance = nn.InstanceNorm2d(8, affine=True, track_running_stats=True)
        self.up = nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1)
        self.layer = nn.LayerNorm([3, 8, 8])
        self.act = nn.PReLU(8)
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')
                nn.init.constant_(m.bias, 0.1)

    def forward(self, x):
        h = self.act(self.group(self.down(x)))
        h = F.silu(self.instance(self.depthwise(h)))
        return self.layer(self.up(F.dropout2d(h, 0.2, training=self.training)))


def norms(dtype):
    x = torch.randn(6, 3, 8, 8).to(dtype)
    model = Norms().to(dtype)
    optimizer = torch.optim.Adamax(model.parameters(), lr=5e-3, weight_decay=1e-3)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, mode='min', factor=0.5, patience=1, threshold=0.02)

    def loss_of():
        noisy = x + 0.1 * torch.randn_like(x)
        return F.smooth_l1_loss(model(noisy), x, beta=0.5)

    losses = fitted(model, loss_of, optimizer, scheduler.step)
    model.eval()
    return losses + [F.l1_loss(model(x), x).item(), optimizer.param_groups[0]['lr']]


def embedding_bag(dtype):
    ids = torch.randint(0, 30, (40,))
    offsets = torch.tensor([0, 7, 12, 25, 31])
    y = torch.randn(5, 2).to(dtype)
    bag = nn.EmbeddingBag(30, 6, mode='mean')
    table = nn.Embedding(30, 6, max_norm=1.0, scale_grad_by_freq=True)
    bilinear = nn.Bilinear(6, 6, 2)
    model = nn.ModuleList([bag, table, bilinear]).to(dtype)
    weights = torch.ones(40).multinomial(5, replacement=False)

    def loss_of():
        picked = table(ids[weights])
        return F.huber_loss(bilinear(bag(ids, offsets), picked), y, delta=0.7)

    return fitted(model, loss_of, torch.optim.Adagrad(model.parameters(), lr=0.02, lr_decay=0.01, eps=1e-8))


def normed_weights(dtype):
    x = torch.randn(16, 6).to(dtype)
    y = torch.sin(x).sum(1, keepdim=True)
    model = nn.Sequential(
        nn.Linear(6, 12),
        nn.Tanh(),
        nn.Linear(12, 12),
        nn.Softplus(),
        nn.AlphaDropout(0.1),
        nn.Linear(12, 1),
    ).to(dtype)
    nn.utils.weight_norm(model[0])
    nn.utils.parametrizations.spectral_norm(model[2])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    scheduler = lr_scheduler.CyclicLR(optimizer, base_lr=0.005, max_lr=0.03, step_size_up=4, mode='triangular2')
    return fitted(model, lambda: F.mse_loss(model(x), y), optimizer, lambda loss: scheduler.step())


def lbfgs(dtype):
    x = torch.rand(20, 1).to(dtype)
    y = torch.cos(5 * x)
    model = nn.Sequential(nn.Linear(1, 6), nn.Tanh(), nn.Linear(6, 1)).to(dtype)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4, history_size=5, line_search_fn='strong_wolfe')

    def closure():
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        return loss

    return [optimizer.step(closure).item() for _ in range(6)]


def accumulation(dtype):
    x = torch.randn(50, 4).to(dtype)
    y = (x.sum(1) > 0).long()
    train_set, test_set = random_split(TensorDataset(x, y), [0.8, 0.2])
    model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.2), nn.ReLU(), nn.Linear(16, 2)).to(dtype)
    nn.init.xavier_uniform_(model[0].weight, gain=nn.init.calculate_gain('relu'))
    nn.init.xavier_normal_(model[3].weight)
    counts = torch.bincount(torch.stack([label for _, label in train_set]), minlength=2)
    weights = [1.0 / counts[label].item() for _, label in train_set]
    sampler = WeightedRandomSampler(weights, num_samples=len(train_set), replacement=True)
    loader = DataLoader(train_set, batch_size=8, sampler=sampler, drop_last=True)
    optimizer = torch.optim.SGD([
        {'params': model[0].parameters(), 'lr': 0.05},
        {'params': model[3].parameters(), 'momentum': 0.5, 'dampening': 0.1},
    ], lr=0.1, momentum=0.9)
    scheduler = lr_scheduler.MultiStepLR(optimizer, milestones=[2, 4], gamma=0.3)
    losses = []
    for _ in range(6):
        model.train()
        optimizer.zero_grad()
        for i, (xb, yb) in enumerate(loader):
            loss = F.nll_loss(F.log_softmax(model(xb), dim=1), yb) / 2
            loss.backward()
            if (i + 1) % 2 == 0:
                nn.utils.clip_grad_value_(model.parameters(), 0.5)
                optimizer.step()
                optimizer.zero_grad()
            losses.append(loss.item())
        scheduler.step()
        model.eval()
        with torch.no_grad():
            correct = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in DataLoader(test_set, batch_size=4))
        losses.append(correct / len(test_set))
    return losses


def elementary(dtype):
    """Tensors without modules, as in a first tutorial: every number drawn in another way."""
    w1 = torch.normal(0.0, 0.3, (6, 10)).to(dtype).requires_grad_()
    b1 = torch.zeros(10, dtype=dtype, requires_grad=True)
    w2 = torch.empty(10, 3).uniform_(-0.2, 0.2).to(dtype).requires_grad_()
    x = torch.rand(30, 6).to(dtype) * 2 - 1
    y = torch.randint(3, (30,))
    noise = torch.empty(10).exponential_(2.0).to(dtype)
    losses = []
    for step in range(STEPS):
        h = torch.tanh(x @ w1 + b1) * torch.bernoulli(torch.full((30, 10), 0.9, dtype=dtype))
        logits = (h + 0.01 * noise) @ w2
        loss = -F.log_softmax(logits, dim=1)[torch.arange(30), y].mean() + 1e-3 * (w1.abs().sum() + w2.norm())
        loss.backward()
        with torch.no_grad():
            for p in (w1, b1, w2):
                p -= 0.1 * p.grad
                p.grad = None
        losses.append(loss.item())
    return losses


TRAININGS = {training.__name__.replace('_', ' '): training for training in (
    packed_gru, bidirectional_lstm, transformer_encoder, transformer, norms, embedding_bag, normed_weights, lbfgs, accumulation,
    elementary)}
