"""The CIFAR-10 network and its input in PyTorch, as one would write them by hand."""

import itertools
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.cifar10 import BATCH, FOLDER, RECORD


def _batches():
    """Distorted batches, without end: the distortions of a batch are computed at once."""
    data = [np.fromfile(p, np.uint8) for p in sorted(pathlib.Path(FOLDER).glob("data*.bin"))]
    records = torch.from_numpy(np.concatenate(data).reshape(-1, RECORD))
    places = torch.arange(24)
    while True:
        chosen = records[torch.randint(len(records), (BATCH,))]
        images = chosen[:, 1:].reshape(BATCH, 3, 32, 32).float()
        rows = torch.randint(9, (BATCH, 1)) + places
        columns = torch.randint(9, (BATCH, 1)) + places
        columns = torch.where(torch.rand(BATCH, 1) < 0.5, columns.flip(1), columns)
        batch = torch.arange(BATCH)[:, None, None]
        images = images.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]]
        images += torch.rand(BATCH, 1, 1, 1) * 126 - 63
        mean = images.mean((1, 2), keepdim=True)
        images = (images - mean) * (torch.rand(BATCH, 1, 1, 1) * 1.6 + 0.2) + mean
        deviation, mean = torch.std_mean(images, (1, 2, 3), correction=0, keepdim=True)
        images = (images - mean) / deviation.clamp_min(1728**-0.5)
        yield images.permute(0, 3, 1, 2), chosen[:, 0].long()


def cifar10_input(wrap):
    """One batch of input."""
    del wrap
    batches = _batches()
    return lambda: next(batches)


def cifar10(wrap):
    """One step of training."""

    def normalised():
        return nn.LocalResponseNorm(9, alpha=0.001, beta=0.75, k=1.0)

    network = nn.Sequential(
        *(nn.Conv2d(3, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)),
        *(normalised(), nn.Conv2d(64, 64, 5, padding=2), nn.ReLU(), normalised()),
        *(nn.MaxPool2d(3, 2, ceil_mode=True), nn.Flatten()),
        *(nn.Linear(2304, 384), nn.ReLU(), nn.Linear(384, 192), nn.ReLU(), nn.Linear(192, 10)),
    ).to(memory_format=torch.channels_last)
    parameters = list(network.parameters())
    optimizer = torch.optim.SGD(parameters, 0.1)
    shadows = [p.detach().clone() for p in parameters]
    batches, counter = _batches(), itertools.count()
    dense = [network[9].weight, network[11].weight]

    def loss(images, labels):
        penalty = sum((w**2).sum() for w in dense)
        return functional.cross_entropy(network(images), labels) + 0.002 * penalty

    loss = wrap(loss)

    def step() -> None:
        n = next(counter)
        optimizer.param_groups[0]["lr"] = 0.1 * 0.1 ** (n // 136718)
        optimizer.zero_grad()
        loss(*next(batches)).backward()
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(shadows, parameters, 1 - min(0.9999, (1 + n) / (10 + n)))

    return step


PROGRAMS = {f.__name__: f for f in (cifar10, cifar10_input)}
