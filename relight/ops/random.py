"""Random numbers: stateful ops draw from the session's stream of their node, stateless ones from
their seed pair.
"""

from __future__ import annotations

from typing import Any

import torch

from relight.graph import dtypes, errors
from relight.graph.graph import get_default_graph
from relight.graph.opdef import not_differentiable, op
from relight.ops import array_nodes, shape_rules
from relight.ops import math_nodes as nodes
from relight.ops.build import raw
from relight.ops.constants import constant_value_as_shape, known_value
from relight.ops.math import gradient
from relight.ops.shape_rules import from_input, same, sizes
from relight.ops.state import torch_dtype


def _size_list(shape: Any) -> list[int]:
    found = shape.tolist()
    if not isinstance(found, list):
        raise errors.InvalidArgumentError(None, None, "shape must be a vector of {int32,int64}.")
    if any(s < 0 for s in found):
        raise errors.InvalidArgumentError(None, None, f"Dimension {min(found)} must be >= 0")
    return found


def _plain(method: str) -> Any:
    """A kernel that fills a shape from the node's stream."""

    def specialise(node: Any) -> Any:
        dtype = torch_dtype(node._attrs["dtype"])

        def kernel(state: Any, shape: Any) -> torch.Tensor:
            drawn = getattr(state.stream(node), method)(_size_list(shape), dtype)
            return drawn if state.device.type == "cpu" else drawn.to(state.device)

        return kernel

    return specialise


for _op_type, _method in (
    ("RandomUniform", "uniform"),
    ("RandomStandardNormal", "normal"),
    ("TruncatedNormal", "truncated_normal"),
):
    op(_op_type, shape=from_input(0), specialise=True, host=("shape",), takes_session=True)(
        _plain(_method)
    )


def _bounds(low: Any, high: Any) -> tuple[int, int]:
    first, last = int(low), int(high)
    if first >= last:
        raise errors.InvalidArgumentError(
            None, None, f"Need minval < maxval, got {first} >= {last}"
        )
    return first, last


@op(
    "RandomUniformInt",
    shape=from_input(0),
    specialise=True,
    host=("shape", "minval", "maxval"),
    takes_session=True,
)
def RandomUniformInt(node: Any) -> Any:
    """Integers in [minval, maxval)."""
    dtype = torch_dtype(node._attrs["Tout"])

    def kernel(state: Any, shape: Any, low: Any, high: Any) -> torch.Tensor:
        wanted = _size_list(shape)
        if 0 in wanted:
            return torch.empty(wanted, dtype=dtype, device=state.device)
        first, last = _bounds(low, high)
        return state.stream(node).uniform_int(wanted, first, last, dtype).to(state.device)

    return kernel


def _after_shape(node: Any) -> list[Any]:
    """The shape in input 0 followed by the shape of input 1."""
    lead = constant_value_as_shape(node._inputs[0])
    return [lead.concatenate(node._inputs[1].shape)]


@op(
    "RandomGamma",
    shape=_after_shape,
    specialise=True,
    host=("shape",),
    takes_session=True,
)
def RandomGamma(node: Any) -> Any:
    """Draws [*shape, *alpha.shape] from Gamma(alpha, 1)."""

    def kernel(state: Any, shape: Any, alpha: torch.Tensor) -> torch.Tensor:
        return state.stream(node).gamma(_size_list(shape), alpha.cpu()).to(state.device)

    return kernel


def _poisson(node: Any) -> Any:
    """Draws [*shape, *rate.shape] from Poisson(rate)."""
    dtype = torch_dtype(node._attrs["dtype"])

    def kernel(state: Any, shape: Any, rate: torch.Tensor) -> torch.Tensor:
        return state.stream(node).poisson(_size_list(shape), rate.cpu(), dtype).to(state.device)

    return kernel


op("RandomPoissonV2", shape=_after_shape, specialise=True, host=("shape",), takes_session=True)(
    _poisson
)


def _multinomial_shape(node: Any) -> list[Any]:
    logits = shape_rules.with_rank(sizes(node, 0), 2)
    count = known_value(node._inputs[1])
    assert logits is not None
    return [(logits[0], None if count is None else int(count))]


def _check_logits(logits: torch.Tensor, count: int) -> None:
    if logits.dim() != 2:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"logits should be a matrix, got shape [{','.join(map(str, logits.shape))}]",
        )
    if count < 0:
        raise errors.InvalidArgumentError(
            None, None, f"num_samples should be nonnegative, got {count}"
        )
    if logits.shape[1] == 0:
        raise errors.InvalidArgumentError(None, None, "num_classes should be positive, got 0")


@op(
    "Multinomial",
    shape=_multinomial_shape,
    specialise=True,
    host=("num_samples",),
    takes_session=True,
)
def Multinomial(node: Any) -> Any:
    """Class numbers [rows, num_samples] drawn by softmax(logits [rows, classes])."""
    dtype = torch_dtype(node._attrs["output_dtype"])

    def kernel(state: Any, logits: torch.Tensor, num_samples: Any) -> torch.Tensor:
        count = int(num_samples)
        _check_logits(logits, count)
        return state.stream(node).multinomial(logits.cpu(), count, dtype).to(state.device)

    return kernel


@op(
    "ParameterizedTruncatedNormal",
    shape=from_input(0),
    specialise=True,
    host=("shape",),
    takes_session=True,
)
def ParameterizedTruncatedNormal(node: Any) -> Any:
    """Normals within [minvals, maxvals]; the parameters are scalars or [shape[0]]."""
    dtype = torch_dtype(node._attrs["dtype"])

    def kernel(state: Any, shape: Any, *parameters: torch.Tensor) -> torch.Tensor:
        wanted = _size_list(shape)
        try:
            drawn = state.stream(node).parameterized_truncated_normal(
                wanted, *(p.cpu() for p in parameters), dtype
            )
        except ValueError as error:
            raise errors.InvalidArgumentError(None, None, str(error)) from None
        return drawn.to(state.device)

    return kernel


@op("RandomShuffle", shape=same, specialise=True, takes_session=True, views=0)
def RandomShuffle(node: Any) -> Any:
    """The rows (first dimension) in random order."""
    if node._inputs[0].dtype.name == "string":

        def shuffle_strings(state: Any, value: Any) -> Any:
            if value.size <= 1 or value.shape[0] <= 1:
                return value
            return value[state.stream(node).permutation(value.shape[0]).numpy()]

        return shuffle_strings
    return lambda state, value: state.stream(node).shuffle(value)


# -- stateless -------------------------------------------------------------------------------------


def _check_seed(seed: Any) -> list[int]:
    if seed.shape != (2,):
        shape = ",".join(map(str, seed.shape))
        raise errors.InvalidArgumentError(None, None, f"seed must have shape [2], not [{shape}]")
    return seed.tolist()


def _stateless(function_name: str) -> Any:
    def specialise(node: Any) -> Any:
        from relight.engine.random import stateless

        dtype = torch_dtype(node._attrs["dtype"])
        function = getattr(stateless, function_name)
        return lambda shape, seed: function(_size_list(shape), _check_seed(seed), dtype)

    return specialise


for _op_type, _function in (
    ("StatelessRandomUniform", "stateless_random_uniform"),
    ("StatelessRandomNormal", "stateless_random_normal"),
    ("StatelessTruncatedNormal", "stateless_truncated_normal"),
):
    op(_op_type, shape=from_input(0), specialise=True, host=("shape", "seed"))(
        _stateless(_function)
    )


@op(
    "StatelessRandomUniformInt",
    shape=from_input(0),
    specialise=True,
    host=("shape", "seed", "minval", "maxval"),
)
def StatelessRandomUniformInt(node: Any) -> Any:
    """Integers in [minval, maxval) that depend on the seed pair alone."""
    from relight.engine.random import stateless

    dtype = torch_dtype(node._attrs["dtype"])

    def kernel(shape: Any, seed: Any, low: Any, high: Any) -> torch.Tensor:
        first, last = _bounds(low, high)
        wanted = _size_list(shape)
        return stateless.stateless_random_uniform_int(wanted, _check_seed(seed), first, last, dtype)

    return kernel


@op("StatelessMultinomial", shape=_multinomial_shape, specialise=True, host=("num_samples", "seed"))
def StatelessMultinomial(node: Any) -> Any:
    """Class numbers [rows, num_samples] that depend on the logits and the seed pair alone."""
    from relight.engine.random import stateless

    dtype = torch_dtype(node._attrs["output_dtype"])

    def kernel(logits: torch.Tensor, num_samples: Any, seed: Any) -> torch.Tensor:
        count = int(num_samples)
        _check_logits(logits, count)
        return stateless.stateless_multinomial(logits.cpu(), count, _check_seed(seed), dtype)

    return kernel


# -- gradients -------------------------------------------------------------------------------------


def _gamma_grad_shape(node: Any) -> list[Any]:
    return [shape_rules.broadcast_sizes(sizes(node, 0), sizes(node, 1))]


@op("RandomGammaGrad", shape=_gamma_grad_shape)
def RandomGammaGrad(alpha, sample):
    """d sample / d alpha of a draw from Gamma(alpha, 1), by implicit reparameterisation."""
    alpha, sample = torch.broadcast_tensors(alpha, sample)
    return torch._standard_gamma_grad(alpha.contiguous(), sample.contiguous())


@gradient("RandomGamma")
def _(op, grad):
    shape, alpha = op.inputs
    with get_default_graph().control_dependencies([grad]):
        count = array_nodes.shape(shape)[0]
        ones = array_nodes.ones([count], dtype=dtypes.int32)
        full = array_nodes.concat([ones, array_nodes.shape(alpha)], axis=0)
        partial = raw.RandomGammaGrad(array_nodes.reshape(alpha, full), op.outputs[0])
        return None, nodes.reduce_sum(grad * partial, axis=nodes.range(count))


not_differentiable(
    "RandomUniform",
    "RandomStandardNormal",
    "TruncatedNormal",
    "RandomUniformInt",
    "Multinomial",
    "ParameterizedTruncatedNormal",
    "StatelessMultinomial",
    "StatelessRandomNormal",
    "StatelessRandomUniform",
    "StatelessRandomUniformInt",
    "StatelessTruncatedNormal",
)
