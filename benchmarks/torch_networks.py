"""The larger programs in PyTorch's own modules, with autograd."""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.networks import HEADS, LAYERS, LENGTH, ROW, ROWS, UNITS, WIDTH, WORDS


def _training(module, optimizer, x, t, wrap):
    loss_of = wrap(lambda: functional.cross_entropy(module(x), t))

    def step() -> None:
        optimizer.zero_grad()
        loss_of().backward()
        optimizer.step()

    return step


class _Rows(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(ROW, UNITS, batch_first=True)
        self.out = nn.Linear(UNITS, 10)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


def lstm_rows(wrap):
    """An LSTM of 128 units over rows."""
    module = _Rows()
    x, t = torch.rand(128, ROWS, ROW), torch.randint(0, 10, (128,))
    return _training(module, torch.optim.Adam(module.parameters()), x, t, wrap)


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outside)
        self.more = outside - inside

    def forward(self, x):
        short = x
        if self.more:
            short = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.more))
        h = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.norm2(self.conv2(h)) + short)


def resnet20(wrap):
    """ResNet-20, memory laid out as NHWC."""
    blocks = []
    channels = 16
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            blocks.append(_Block(channels, filters, 2 if stage and not block else 1))
            channels = filters
    first = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    last = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    module = nn.Sequential(*first, *blocks, *last).to(memory_format=torch.channels_last)
    x = torch.rand(64, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    t = torch.randint(0, 10, (64,))
    return _training(module, torch.optim.SGD(module.parameters(), 0.1, 0.9), x, t, wrap)


class _Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.places = nn.Parameter(torch.randn(LENGTH, WIDTH))
        self.attention = nn.ModuleList([nn.Linear(WIDTH, 3 * WIDTH) for _ in range(LAYERS)])
        self.mixing = nn.ModuleList([nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS)])
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH) for _ in range(2 * LAYERS)])
        self.inner = nn.ModuleList([nn.Linear(WIDTH, 4 * WIDTH) for _ in range(LAYERS)])
        self.outer = nn.ModuleList([nn.Linear(4 * WIDTH, WIDTH) for _ in range(LAYERS)])
        self.out = nn.Linear(WIDTH, WORDS)

    def forward(self, x):
        h = self.words(x) + self.places
        for i in range(LAYERS):
            parts = self.attention[i](h).reshape(-1, LENGTH, 3, HEADS, WIDTH // HEADS)
            q, k, v = parts.permute(2, 0, 3, 1, 4)
            mixed = functional.scaled_dot_product_attention(q, k, v)
            mixed = mixed.transpose(1, 2).reshape(-1, LENGTH, WIDTH)
            h = self.norms[2 * i](h + self.mixing[i](mixed))
            h = self.norms[2 * i + 1](h + self.outer[i](functional.relu(self.inner[i](h))))
        return self.out(h).flatten(0, 1)


def transformer(wrap):
    """The encoder; attention by PyTorch's own function."""
    module = _Encoder()
    x = torch.randint(0, WORDS, (32, LENGTH))
    return _training(module, torch.optim.Adam(module.parameters()), x, x.flatten(), wrap)


PROGRAMS = {f.__name__: f for f in (lstm_rows, resnet20, transformer)}
