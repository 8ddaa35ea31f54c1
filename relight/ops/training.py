"""The update rules of optimizers: `ApplyMomentum`, `ResourceSparseApplyAdam` and their kin.

A rule is one function: it changes the variable and its slots in place. It serves up to four ops: on
reference and on resource variables, with a dense gradient and (on the rows that `indices` names)
with a sparse one. Rates (`lr`, `momentum` ...) reach it as Python floats, the gradient as a tensor.

Sources: Duchi et al. 2011 (Adagrad, AdagradDA), Zeiler 2012 (Adadelta), Hinton 2012 (RMSProp),
McMahan et al. 2013 (FTRL), Kingma and Ba 2015 (Adam, AdaMax), Reddi et al. 2018 (AMSGrad),
Bello et al. 2017 (AddSign, PowerSign), Duchi and Singer 2009 (proximal steps).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from relight.graph import dtypes, errors, opdef
from relight.graph.graph import ShapeError
from relight.graph.opdef import not_differentiable, op
from relight.ops.shape_rules import sizes
from relight.ops.state import held_shape, merge_shapes, read_resource

Rule = Callable[..., None]


def gradient_descent(var, *, alpha, delta):
    """var -= alpha * delta."""
    var.add_(delta, alpha=-alpha)


def momentum(var, accum, *, lr, grad, momentum, use_nesterov):
    """accum = momentum * accum + grad; var -= lr * accum."""
    accum.mul_(momentum).add_(grad)
    if use_nesterov:
        var.add_(grad, alpha=-lr).add_(accum, alpha=-momentum * lr)
    else:
        var.add_(accum, alpha=-lr)


def keras_momentum(var, accum, *, lr, grad, momentum, use_nesterov):
    """accum = momentum * accum - lr * grad; var += accum."""
    accum.mul_(momentum).add_(grad, alpha=-lr)
    if use_nesterov:
        var.add_(accum, alpha=momentum).add_(grad, alpha=-lr)
    else:
        var.add_(accum)


def adam_step(lr: float, beta1_power: float, beta2_power: float) -> float:
    """The learning rate times the correction of both moments."""
    if beta1_power == 1.0:
        return float("inf") if beta2_power < 1.0 else float("nan")
    return lr * max(1.0 - beta2_power, 0.0) ** 0.5 / (1.0 - beta1_power)


# PyTorch's fused kernel divides by 1 - beta ** steps: after so many steps that is 1, and the
# correction is the caller's.
_LATE = 1e30


def fuses_adam(values: list[torch.Tensor], beta1: float, beta2: float) -> bool:
    """Whether `adam_in_one_pass` may update these variables and slots, all of one dtype."""
    return (
        0 <= beta1 < 1
        and 0 <= beta2 < 1
        and values[0].dtype is torch.float32
        and all(v.is_contiguous() for v in values)
    )


@functools.cache
def _late(device: torch.device) -> torch.Tensor:
    return torch.full((), _LATE, device=device)


def adam_in_one_pass(variables, means, squares, grads, *, step, beta1, beta2, epsilon) -> None:
    """Adam over lists of tensors, each read and written once: a third of the time of seven passes.

    `step` is the learning rate with its correction. The kernel walks through memory: all
    arguments have to be contiguous, and the gradients are made so.
    """
    grads = [g.contiguous() for g in grads]
    counts = [_late(variables[0].device)] * len(variables)  # read only
    torch._fused_adam_(
        variables,
        grads,
        means,
        squares,
        [],
        counts,
        lr=step,
        beta1=beta1,
        beta2=beta2,
        weight_decay=0.0,
        eps=epsilon,
        amsgrad=False,
        maximize=False,
    )


def adam(var, m, v, *, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad, use_nesterov):
    """Adam with the bias correction in the step size, so that epsilon is not corrected."""
    step = adam_step(lr, beta1_power, beta2_power)
    if not use_nesterov and fuses_adam([var, m, v], beta1, beta2):
        adam_in_one_pass(
            [var], [m], [v], [grad], step=step, beta1=beta1, beta2=beta2, epsilon=epsilon
        )
        return
    m.add_(grad - m, alpha=1 - beta1)
    v.add_(grad.square() - v, alpha=1 - beta2)
    moved = m * beta1 + grad * (1 - beta1) if use_nesterov else m
    var.sub_(moved * step / v.sqrt().add_(epsilon))


def adam_with_amsgrad(
    var, m, v, vhat, *, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad
):
    """Adam that divides by the greatest second moment so far."""
    step = adam_step(lr, beta1_power, beta2_power)
    m.add_(grad - m, alpha=1 - beta1)
    v.add_(grad.square() - v, alpha=1 - beta2)
    torch.maximum(vhat, v, out=vhat)
    var.sub_(m * step / vhat.sqrt().add_(epsilon))


def ada_max(var, m, v, *, beta1_power, lr, beta1, beta2, epsilon, grad):
    """Adam with the infinity norm as second moment."""
    m.add_(grad - m, alpha=1 - beta1)
    torch.maximum(v.mul_(beta2), grad.abs(), out=v)
    var.sub_(m / (v + epsilon) * (lr / (1 - beta1_power)))


def adagrad(var, accum, *, lr, grad, update_slots):
    """accum += grad ** 2; var -= lr * grad / sqrt(accum)."""
    if update_slots:
        accum.addcmul_(grad, grad)
    var.sub_(grad * lr * accum.rsqrt())


def adagrad_v2(var, accum, *, lr, epsilon, grad, update_slots):
    """accum += grad ** 2; var -= lr * grad / (sqrt(accum) + epsilon)."""
    if update_slots:
        accum.addcmul_(grad, grad)
    var.sub_(grad * lr / accum.sqrt().add_(epsilon))


def adagrad_da(
    var, gradient_accumulator, gradient_squared_accumulator, *, grad, lr, l1, l2, global_step
):
    """Dual averaging: the variable follows from the sums of gradients and of their squares."""
    total, squares = gradient_accumulator, gradient_squared_accumulator
    total.add_(grad)
    squares.addcmul_(grad, grad)
    below = squares.sqrt().add_(l2 * global_step * lr)
    above = total.sign() * (total.abs() - l1 * global_step).clamp_(min=0) if l1 > 0 else total
    var.copy_(above * -lr / below)


def adadelta(var, accum, accum_update, *, lr, rho, epsilon, grad):
    """Steps scaled by the running root mean squares of updates over those of gradients."""
    accum.mul_(rho).addcmul_(grad, grad, value=1 - rho)
    update = (accum_update + epsilon).sqrt_() * (accum + epsilon).rsqrt_() * grad
    var.add_(update, alpha=-lr)
    accum_update.mul_(rho).addcmul_(update, update, value=1 - rho)


def rms_prop(var, ms, mom, *, lr, rho, momentum, epsilon, grad):
    """mom = momentum * mom + lr * grad / sqrt(ms + epsilon); var -= mom."""
    ms.add_(grad.square() - ms, alpha=1 - rho)
    mom.mul_(momentum).add_(grad * lr / (ms + epsilon).sqrt_())
    var.sub_(mom)


def centered_rms_prop(var, mg, ms, mom, *, lr, rho, momentum, epsilon, grad):
    """RMSProp with the variance of the gradient instead of its second moment."""
    ms.add_(grad.square() - ms, alpha=1 - rho)
    mg.add_(grad - mg, alpha=1 - rho)
    mom.mul_(momentum).add_(grad * lr / (ms - mg.square()).add_(epsilon).sqrt_())
    var.sub_(mom)


def _ftrl(var, accum, linear, grad, shrunk, lr, l1, l2, lr_power):
    squares = accum + grad.square()
    power = torch.sqrt if lr_power == -0.5 else lambda x: x.pow(-lr_power)
    linear.add_(shrunk - (power(squares) - power(accum)) / lr * var)
    below = power(squares) / lr + 2 * l2
    var.copy_(
        torch.where(linear.abs() > l1, (linear.sign() * l1 - linear) / below, var.new_zeros(()))
    )
    accum.copy_(squares)


def ftrl(var, accum, linear, *, grad, lr, l1, l2, lr_power):
    """Follow the regularized leader, proximal."""
    _ftrl(var, accum, linear, grad, grad, lr, l1, l2, lr_power)


def ftrl_v2(var, accum, linear, *, grad, lr, l1, l2, l2_shrinkage, lr_power):
    """FTRL with an L2 penalty on the size of the variable in the gradient."""
    shrunk = grad + var * (2 * l2_shrinkage)
    _ftrl(var, accum, linear, grad, shrunk, lr, l1, l2, lr_power)


def _proximal(var, moved, lr, l1, l2):
    if l1 > 0:
        moved = moved.sign() * (moved.abs() - l1 * lr).clamp_(min=0)
    var.copy_(moved / (1 + l2 * lr))


def proximal_gradient_descent(var, *, alpha, l1, l2, delta):
    """A gradient step, then soft thresholding for L1 and shrinkage for L2."""
    _proximal(var, var - delta * alpha, alpha, l1, l2)


def proximal_adagrad(var, accum, *, lr, l1, l2, grad):
    """An Adagrad step, then soft thresholding for L1 and shrinkage for L2."""
    accum.addcmul_(grad, grad)
    rate = accum.rsqrt() * lr
    _proximal(var, var - grad * rate, rate, l1, l2)


def add_sign(var, m, *, lr, alpha, sign_decay, beta, grad):
    """Steps scaled by how far the signs of gradient and running mean agree."""
    m.mul_(beta).add_(grad, alpha=1 - beta)
    var.sub_((grad.sign() * m.sign() * sign_decay + alpha) * grad * lr)


def power_sign(var, m, *, lr, logbase, sign_decay, beta, grad):
    """Steps scaled by an exponential of how far the signs of gradient and mean agree."""
    m.mul_(beta).add_(grad, alpha=1 - beta)
    var.sub_((grad.sign() * m.sign() * (logbase * sign_decay)).exp_() * grad * lr)


RULES: dict[str, Rule] = {
    "AdaMax": ada_max,
    "Adadelta": adadelta,
    "Adagrad": adagrad,
    "AdagradDA": adagrad_da,
    "AdagradV2": adagrad_v2,
    "Adam": adam,
    "AdamWithAmsgrad": adam_with_amsgrad,
    "AddSign": add_sign,
    "CenteredRMSProp": centered_rms_prop,
    "Ftrl": ftrl,
    "FtrlV2": ftrl_v2,
    "GradientDescent": gradient_descent,
    "KerasMomentum": keras_momentum,
    "Momentum": momentum,
    "PowerSign": power_sign,
    "ProximalAdagrad": proximal_adagrad,
    "ProximalGradientDescent": proximal_gradient_descent,
    "RMSProp": rms_prop,
}


# -- a rule as kernel ------------------------------------------------------------------------------


def _change(states: list[Any], function: Callable[[list[torch.Tensor]], None]) -> None:
    """Let `function` change the values of all states in place."""
    values: list[torch.Tensor] = []

    def enter(value: torch.Tensor) -> None:
        values.append(value)
        if len(values) < len(states):
            states[len(values)].update(enter)
        else:
            function(values)

    try:
        states[0].update(enter)
    finally:
        values.clear()  # `enter` refers to itself, and would hold them until it is collected


def _check_shapes(names: list[str], values: list[torch.Tensor], grad: Any, grad_name: str) -> None:
    first = values[0].shape
    others = [*zip(names[1:], [v.shape for v in values[1:]], strict=True), (grad_name, grad.shape)]
    for name, shape in others:
        if shape != first:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"{names[0]} and {name} do not have the same shape{list(first)} {list(shape)}",
            )


def _sparse(
    rule: Rule,
    values: list[torch.Tensor],
    grad: torch.Tensor,
    indices: torch.Tensor,
    grad_name: str,
    rates: dict[str, Any],
) -> None:
    """Apply a rule to the rows that `indices` [n] names; a row named twice is changed twice."""
    if indices.ndim != 1:
        raise errors.InvalidArgumentError(None, None, "indices must be one-dimensional")
    if len(indices) != len(grad):
        raise errors.InvalidArgumentError(
            None, None, "grad must be the same size as indices in the first dimension."
        )
    if not len(indices):
        return
    low, high = torch.aminmax(indices)
    if int(low) < 0 or int(high) >= len(values[0]):
        bad = int(((indices < 0) | (indices >= len(values[0]))).nonzero()[0])
        raise errors.InvalidArgumentError(
            None, None, f"Index {int(indices[bad])} at offset {bad} in indices is out of range"
        )
    indices = indices.long()
    if len(indices.unique()) == len(indices):
        batches = [(indices, grad)]
    else:
        batches = [(indices[i : i + 1], grad[i : i + 1]) for i in range(len(indices))]
    for places, part in batches:
        taken = [v[places] for v in values]
        rule(*taken, **{grad_name: part}, **rates)
        for value, changed in zip(values, taken, strict=True):
            value[places] = changed


def _kernel_of(name: str, rule: Rule) -> Callable[[Any], Callable[..., Any]]:
    definition = opdef.op_def(name)
    state_names = [a.name for a in definition.inputs if a.is_ref or a.dtype is dtypes.resource]
    inputs = [a.name for a in definition.inputs]
    grad_name = "delta" if "delta" in inputs else "grad"
    # The sparse op calls the gradient `grad` where the dense one calls it `delta`.
    rule_grad = "delta" if _takes(rule, "delta") else "grad"
    attrs = [a for a in ("use_nesterov", "update_slots") if _takes(rule, a)]
    is_resource = not definition.inputs[0].is_ref
    count = len(state_names)

    def specialise(node: Any) -> Callable[..., Any]:
        settings = {a: node._attrs.get(a, a == "update_slots") for a in attrs}

        def kernel(*arguments: Any) -> Any:
            states = list(arguments[:count])
            given = dict(zip(inputs[count:], arguments[count:], strict=True))
            grad = given.pop(grad_name)
            indices = given.pop("indices", None)
            rates = {k: v.item() for k, v in given.items()}
            rates.update(settings)
            if is_resource:
                for state in states:
                    read_resource(state)

            def change(values: list[torch.Tensor]) -> None:
                if indices is not None:
                    _sparse(rule, values, grad, indices, rule_grad, rates)
                    return
                _check_shapes(state_names, values, grad, grad_name)
                rule(*values, **{rule_grad: grad}, **rates)

            _change(states, change)
            return None if is_resource else states[0]

        kernel.__name__ = name
        kernel.__doc__ = rule.__doc__
        return kernel

    return specialise


def _takes(rule: Rule, name: str) -> bool:
    code = rule.__code__
    return name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _shape_of(name: str) -> Callable[[Any], list[Any]]:
    definition = opdef.op_def(name)
    inputs = [a.name for a in definition.inputs]
    states = [i for i, a in enumerate(definition.inputs) if a.is_ref or a.dtype is dtypes.resource]
    grad_place = inputs.index("delta" if "delta" in inputs else "grad")
    indices_place = inputs.index("indices") if "indices" in inputs else None
    has_output = bool(definition.outputs)

    def rule(node: Any) -> list[Any]:
        whole = held_shape(node, 0)
        for i in states[1:]:
            whole = merge_shapes(whole, held_shape(node, i))
        for i in range(len(states), len(inputs)):
            if i in (grad_place, indices_place):
                continue
            rate = sizes(node, i)
            if rate:
                raise ShapeError(f"Shape must be rank 0 but is rank {len(rate)}")
        grad = sizes(node, grad_place)
        if indices_place is None:
            whole = merge_shapes(whole, grad)
        elif grad is not None and whole is not None:
            indices = sizes(node, indices_place)
            if indices is not None and len(indices) != 1:
                raise ShapeError(f"Shape must be rank 1 but is rank {len(indices)}")
            merge_shapes((None if indices is None else indices[0], *whole[1:]), grad)
        return [whole] if has_output else []

    return rule


for _kind, _rule in RULES.items():
    for _prefix in ("Apply", "ResourceApply", "SparseApply", "ResourceSparseApply"):
        _name = _prefix + _kind
        if _name not in opdef.signature_lines():
            continue
        _rates = [
            a.name
            for a in opdef.op_def(_name).inputs
            if not a.is_ref
            and a.dtype is not dtypes.resource
            and a.name not in ("grad", "delta", "indices")
        ]
        op(_name, shape=_shape_of(_name), specialise=True, writes="var", host=_rates)(
            _kernel_of(_name, _rule)
        )
        not_differentiable(_name)
