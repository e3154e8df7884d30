"""Writes epochs.json: what DataLoaders of PyTorch give, positions and numbers that are drawn while they load, with and without workers."""
import json
import pathlib
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info, random_split


class Positions(Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return i, torch.rand(1).item()


class Stream(Positions, IterableDataset):
    def __iter__(self):
        info = get_worker_info()
        first, step = (info.id, info.num_workers) if info else (0, 1)
        for i in range(first, self.n, step):
            yield self[i]


def record(loader):
    """Two epochs after manual_seed(5), and the next number of the default stream."""
    torch.manual_seed(5)
    epochs = [[[i.tolist(), x.tolist()] for i, x in loader] for _ in range(2)]
    return [*epochs, torch.rand(1).item()]


def make_part():
    return random_split(Positions(11), [4, 7], generator=torch.Generator().manual_seed(1))[1]


if __name__ == "__main__":
    cases = {
        "in this thread": DataLoader(Positions(11), batch_size=2, shuffle=True),
        "a part, in threads": DataLoader(make_part(), batch_size=2, shuffle=True, num_workers=2, generator=torch.Generator().manual_seed(9)),
        "in threads that are kept": DataLoader(Positions(11), batch_size=4, drop_last=True, num_workers=2, persistent_workers=True, prefetch_factor=1),
        "a stream": DataLoader(Stream(7), batch_size=3),
        "a stream in threads that are kept": DataLoader(Stream(11), batch_size=2, num_workers=2, drop_last=True, persistent_workers=True),
        "samples without batches": DataLoader(Positions(3), batch_size=None, shuffle=True, collate_fn=lambda pair: [torch.tensor(part) for part in pair]),
    }
    results = {name: record(loader) for name, loader in cases.items()}
    pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(results))
