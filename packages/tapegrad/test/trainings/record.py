"""Writes the losses of all trainings here, as PyTorch gives them, to ../data/trainings.json."""
import importlib
import json
import pathlib
import sys

import torch

here = pathlib.Path(__file__).parent
# [name, dtype of the parameters, dtype in which they are drawn]
MODES = [('float32', torch.float32, torch.float32), ('float64', torch.float64, torch.float32),
         ('float64 throughout', torch.float64, torch.float64)]
SEEDS = [0, 1234]


def trainings():
    for name in ('convolutional', 'recurrent', 'gpt', 'vae'):
        yield name, importlib.import_module(name).train
    yield from importlib.import_module('variants').TRAININGS.items()


def losses(train):
    for mode, dtype, default in MODES:
        for seed in SEEDS:
            torch.set_default_dtype(default)
            torch.manual_seed(seed)
            yield {'mode': mode, 'seed': seed, 'losses': train(dtype)}


def main():
    torch.set_num_threads(1)
    recorded = {name: list(losses(train)) for name, train in trainings() if not sys.argv[1:] or name in sys.argv[1:]}
    lines = [f'"{name}": [\n' + ',\n'.join(json.dumps(run) for run in runs) + '\n]' for name, runs in recorded.items()]
    (here / '../data/trainings.json').write_text('{\n' + ',\n'.join(lines) + '\n}\n')


main()
