"""A variational autoencoder: reparametrisation, a decoder of transposed convolutions, a loader that shuffles."""
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split

EPOCHS = 8


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.LeakyReLU(0.2))
        self.fc_mu = nn.Linear(32, 4)
        self.fc_logvar = nn.Linear(32, 4)
        self.fc_decode = nn.Linear(4, 16 * 2 * 2)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1),
            nn.ELU(),
            nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def forward(self, x):
        h = self.encoder(x)
        mu, logvar = self.fc_mu(h), self.fc_logvar(h)
        z = self.reparameterize(mu, logvar)
        h = self.fc_decode(z).view(-1, 16, 2, 2)
        return self.decoder(h), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x, reduction='sum')
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld


def train(dtype):
    images = torch.rand(60, 1, 8, 8).to(dtype)
    train_set, test_set = random_split(TensorDataset(images), [44, 16])
    loader = DataLoader(train_set, batch_size=10, shuffle=True)
    model = VAE().to(dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, amsgrad=True)
    losses = []
    for _ in range(EPOCHS):
        model.train()
        for (x,) in loader:
            optimizer.zero_grad()
            recon, mu, logvar = model(x)
            loss = loss_function(recon, x, mu, logvar) / len(x)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            for (x,) in DataLoader(test_set, batch_size=16):
                losses.append(loss_function(x=x, **dict(zip(('recon_x', 'mu', 'logvar'), model(x)))).item())
    with torch.no_grad():
        h = model.fc_decode(torch.randn(5, 4).to(dtype)).view(-1, 16, 2, 2)
        losses.append(model.decoder(h).mean().item())
    return losses
