"""A language model with an LSTM of two layers, whose state is carried from one piece of the text to the next."""
import torch
from torch import nn

STEPS = 40
VOCABULARY = 20
BATCH = 4
LENGTH = 8


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.2)
        self.encoder = nn.Embedding(VOCABULARY, 16)
        self.rnn = nn.LSTM(16, 24, 2, dropout=0.3)
        self.decoder = nn.Linear(24, VOCABULARY)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)

    def forward(self, x, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
        decoded = self.decoder(self.drop(output))
        return decoded.view(-1, VOCABULARY), hidden

    def init_hidden(self):
        weight = next(self.parameters())
        return weight.new_zeros(2, BATCH, 24), weight.new_zeros(2, BATCH, 24)


def train(dtype):
    text = torch.randint(VOCABULARY, (STEPS * LENGTH + 1, BATCH))
    model = LanguageModel().to(dtype)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    hidden = model.init_hidden()
    losses = []
    for step in range(STEPS):
        x = text[step * LENGTH:(step + 1) * LENGTH]
        y = text[step * LENGTH + 1:(step + 1) * LENGTH + 1].reshape(-1)
        hidden = tuple(h.detach() for h in hidden)
        model.zero_grad()
        output, hidden = model(x, hidden)
        loss = criterion(output, y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        losses.append(loss.item())
    return losses
