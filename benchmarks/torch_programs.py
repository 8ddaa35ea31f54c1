"""The same arithmetic in PyTorch with autograd, as one would write it by hand.

`wrap` is what the loss goes through: nothing (eager) or `torch.compile`.
"""

import itertools

import torch
from torch.nn import functional

from benchmarks.programs import _batches, _digits


def _parameters(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    return [
        (torch.randn(s) * 0.1 if len(s) > 1 else torch.zeros(s)).requires_grad_() for s in shapes
    ]


def _training(loss_of, optimizer, batches, wrap):
    loss_of = wrap(loss_of)

    def step() -> None:
        images, labels = next(batches)
        optimizer.zero_grad()
        loss_of(torch.from_numpy(images), torch.from_numpy(labels)).backward()
        optimizer.step()

    return step


def _network(x, p, rate):
    h = functional.max_pool2d(functional.relu(functional.conv2d(x, p[0], p[1], padding=2)), 2)
    h = functional.max_pool2d(functional.relu(functional.conv2d(h, p[2], p[3], padding=2)), 2)
    h = functional.relu(functional.linear(h.flatten(1), p[4], p[5]))
    return functional.linear(functional.dropout(h, rate), p[6], p[7])


_CNN = ((32, 1, 5, 5), (32,), (64, 32, 5, 5), (64,), (1024, 3136), (1024,), (10, 1024), (10,))


def cnn(wrap):
    """The Estimator program's network."""
    p = [
        q.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
        if q.dim() == 4
        else q
        for q in _parameters(*_CNN)
    ]

    def loss(x, t):
        image = x.reshape(-1, 28, 28, 1).permute(0, 3, 1, 2)
        return functional.cross_entropy(_network(image, p, 0.4), t.long())

    return _training(loss, torch.optim.SGD(p, 0.001), _batches(*_digits(False), 100), wrap)


def deep_mnist(wrap):
    """The deep CNN with Adam."""
    p = [
        q.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
        if q.dim() == 4
        else q
        for q in _parameters(*_CNN)
    ]

    def loss(x, t):
        image = x.reshape(-1, 28, 28, 1).permute(0, 3, 1, 2)
        return -(t * functional.log_softmax(_network(image, p, 0.5), 1)).sum()

    return _training(loss, torch.optim.Adam(p, 1e-4), _batches(*_digits(True), 50), wrap)


def softmax(wrap):
    """Softmax regression."""
    p = _parameters((784, 10), (10,))

    def loss(x, t):
        return -(t * torch.log(torch.softmax(torch.addmm(p[1], x, p[0]), 1))).sum()

    return _training(loss, torch.optim.SGD(p, 0.0001), _batches(*_digits(True), 100), wrap)


def moving_average(wrap):
    """784-500-10 with moving averages, L2 and decay."""
    p = _parameters((784, 500), (500,), (500, 10), (10,))
    shadows = [q.detach().clone() for q in p]
    optimizer = torch.optim.SGD(p, 0.1)
    counter = itertools.count()

    def loss(x, t):
        y = torch.addmm(p[3], functional.relu(torch.addmm(p[1], x, p[0])), p[2])
        penalty = 0.5 * ((p[0] ** 2).sum() + (p[2] ** 2).sum())
        return functional.cross_entropy(y, t.argmax(1)) + 0.0001 * penalty

    train = _training(loss, optimizer, _batches(*_digits(True), 100), wrap)

    def step() -> None:
        n = next(counter)
        optimizer.param_groups[0]["lr"] = 0.1 * 0.99 ** (n / 55000)
        train()
        with torch.no_grad():
            torch._foreach_lerp_(shadows, p, 1 - min(0.99, (1 + n) / (10 + n)))

    return step


def feed_forward(wrap):
    """784-128-32-10."""
    p = _parameters((784, 128), (128,), (128, 32), (32,), (32, 10), (10,))

    def loss(x, t):
        h = functional.relu(torch.addmm(p[1], x, p[0]))
        h = functional.relu(torch.addmm(p[3], h, p[2]))
        return functional.cross_entropy(torch.addmm(p[5], h, p[4]), t.long())

    return _training(loss, torch.optim.SGD(p, 0.01), _batches(*_digits(False), 100), wrap)


def constant_sum(wrap):
    """3.0 + 4.0."""
    a, b = torch.tensor(3.0), torch.tensor(4.0)
    return wrap(lambda: torch.add(a, b))


PROGRAMS = {
    f.__name__: f for f in (cnn, deep_mnist, softmax, moving_average, feed_forward, constant_sum)
}
