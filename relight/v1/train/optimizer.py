"""`tf.train.Optimizer`: gradients of a loss, and operations that apply them to variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.composite import IndexedSlices
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops import array_nodes, gradients
from relight.ops.build import convert_to_tensor, raw
from relight.ops.math_nodes import cast
from relight.v1.functions.assign import assign_add
from relight.v1.functions.control import group
from relight.v1.functions.control import tuple as tuple_of
from relight.v1.functions.resource_variables import is_resource_variable
from relight.v1.functions.variable_lists import trainable_variables
from relight.v1.functions.variables import Variable, lifted
from relight.v1.train import slot_creator


def deduplicate(values: Any, indices: Any) -> tuple[Tensor, Tensor]:
    """(summed values, indices) with every index once."""
    unique, positions = raw.Unique(indices)
    count = array_nodes.shape(unique)[0]
    return raw.UnsortedSegmentSum(values, positions, count), unique


def _key(var: Any) -> Any:
    return (var.op.graph, var.op.name)


def _target(var: Any) -> Any:
    """What gradients are taken with respect to."""
    if var.op.type == "VarHandleOp" or not isinstance(var, Variable):
        _check_optimizable(var)
        return var
    return var._ref()


def _check_optimizable(var: Any) -> None:
    if not isinstance(var, (Variable, Tensor)):
        raise NotImplementedError("Trying to optimize unsupported type ", var)


def _as_gradient(grad: Any) -> Any:
    """A gradient as Tensor or IndexedSlices; TypeError for what cannot become one."""
    if isinstance(grad, (Tensor, IndexedSlices)):
        return grad
    try:
        return convert_to_tensor(grad)
    except TypeError:
        raise TypeError(
            f"Gradient must be convertible to a Tensor or IndexedSlices, or None: {grad}"
        ) from None


@export("train.Optimizer")
class Optimizer:
    """Base class of optimizers.

    A subclass says how one gradient is applied to one variable (`_apply_dense`, `_apply_sparse`
    and, for resource variables, `_resource_apply_dense`, `_resource_apply_sparse`), and which slots
    it keeps (`_create_slots`) and constants it needs (`_prepare`).
    """

    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking: bool, name: str):
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._name = name
        self._slots: dict[str, dict[Any, Any]] = {}
        self._non_slot_dict: dict[Any, Any] = {}

    def get_name(self) -> str:
        """The optimizer's name."""
        return self._name

    def minimize(
        self,
        loss: Any,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Operation:
        """`compute_gradients`, then `apply_gradients`: one operation that does a training step.

        Raises ValueError when the loss depends on none of the variables.
        """
        grads_and_vars = self.compute_gradients(
            loss,
            var_list=var_list,
            gate_gradients=gate_gradients,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
            grad_loss=grad_loss,
        )
        if all(g is None for g, _ in grads_and_vars):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not "
                f"support gradients, between variables {[str(v) for _, v in grads_and_vars]} and "
                f"loss {loss}."
            )
        return self.apply_gradients(grads_and_vars, global_step=global_step, name=name)

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Any, Any]]:
        """(gradient, variable) pairs for `var_list` (all trainable variables when None).

        A gradient is None where the loss does not depend on the variable. `gate_gradients`: with
        GATE_GRAPH no gradient is used before all are computed, with GATE_OP those of one op.
        """
        if callable(loss):
            loss = loss()
        if gate_gradients not in (self.GATE_NONE, self.GATE_OP, self.GATE_GRAPH):
            raise ValueError(
                "gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, "
                f"Optimizer.GATE_GRAPH.  Not {gate_gradients}"
            )
        self._assert_valid_dtypes([loss])
        if grad_loss is not None:
            self._assert_valid_dtypes([grad_loss])
        graph = get_default_graph()
        if var_list is None:
            var_list = trainable_variables() + graph.get_collection(
                GraphKeys.TRAINABLE_RESOURCE_VARIABLES
            )
        else:
            var_list = _flat(var_list)
        var_list = var_list + graph.get_collection(GraphKeys._STREAMING_MODEL_PORTS)
        targets = [_target(v) for v in var_list]
        if not var_list:
            raise ValueError("No variables to optimize.")
        grads = gradients.gradients(
            loss,
            targets,
            grad_ys=grad_loss,
            gate_gradients=gate_gradients == self.GATE_OP,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        if gate_gradients == self.GATE_GRAPH:
            grads = tuple_of(grads)
        pairs = list(zip(grads, var_list, strict=True))
        self._assert_valid_dtypes(
            [v for g, v in pairs if g is not None and v.dtype != dtypes.resource]
        )
        return pairs

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: str | None = None
    ) -> Operation:
        """One operation that applies (gradient, variable) pairs and adds 1 to `global_step`."""
        grads_and_vars = tuple(grads_and_vars)
        if not grads_and_vars:
            raise ValueError("No variables provided.")
        pairs = []
        for grad, var in grads_and_vars:
            grad = None if grad is None else _as_gradient(grad)
            _check_optimizable(var)
            pairs.append((grad, var))
        var_list = [v for g, v in pairs if g is not None]
        if not var_list:
            raise ValueError(
                f"No gradients provided for any variable: {[str(v) for _, v in pairs]}."
            )
        with lifted():
            self._create_slots(var_list)
        graph = get_default_graph()
        updates: list[Any] = []
        with name_scope(name, self._name) as scope:
            self._prepare()
            for grad, var in pairs:
                if grad is None:
                    continue
                with name_scope("update_" + var.op.name), graph.colocate_with(var.op):
                    updates.append(self._update(grad, var))
            if global_step is None:
                applied = self._finish(updates, scope)
            else:
                with graph.control_dependencies([self._finish(updates, "update")]):
                    with graph.colocate_with(global_step.op):
                        applied = _add_one(global_step, scope)
        if isinstance(applied, Tensor):
            applied = applied.op
        train_ops = graph.get_collection_ref(GraphKeys.TRAIN_OP)
        if applied not in train_ops:
            train_ops.append(applied)
        return applied

    def _update(self, grad: Any, var: Any) -> Any:
        """The operation that applies one gradient, and the variable's constraint after it."""
        if isinstance(var, Tensor):
            raise NotImplementedError("Trying to update a Tensor ", var)
        resource = var.op.type == "VarHandleOp"
        if isinstance(grad, IndexedSlices):
            if var.constraint is not None:
                raise RuntimeError("Cannot use a constraint function on a sparse variable.")
            if resource:
                return self._resource_apply_sparse_duplicate_indices(grad.values, var, grad.indices)
            return self._apply_sparse_duplicate_indices(grad, var)
        update = self._resource_apply_dense(grad, var) if resource else self._apply_dense(grad, var)
        if var.constraint is None:
            return update
        with get_default_graph().control_dependencies([update]):
            return var.assign(var.constraint(var))

    # -- slots -------------------------------------------------------------------------------------

    def get_slot(self, var: Any, name: str) -> Any:
        """The slot of that name for a variable, or None."""
        return self._slots.get(name, {}).get(_key(var))

    def get_slot_names(self) -> list[str]:
        """The names of the slots that this optimizer has made."""
        return sorted(self._slots)

    def variables(self) -> list[Any]:
        """The variables of the default graph that this optimizer has made, sorted by name."""
        graph = get_default_graph()
        slots = [s for named in self._slots.values() for s in named.values()]
        found = [*self._non_slot_dict.values(), *slots]
        return sorted((v for v in found if v.op.graph is graph), key=lambda v: v.name)

    def _slot_dict(self, slot_name: str) -> dict[Any, Any]:
        return self._slots.setdefault(slot_name, {})

    def _get_or_make_slot(self, var: Any, val: Any, slot_name: str, op_name: str) -> Any:
        named = self._slot_dict(slot_name)
        if _key(var) not in named:
            named[_key(var)] = slot_creator.create_slot(var, val, op_name)
        return named[_key(var)]

    def _get_or_make_slot_with_initializer(
        self, var: Any, initializer: Any, shape: Any, dtype: Any, slot_name: str, op_name: str
    ) -> Any:
        named = self._slot_dict(slot_name)
        if _key(var) not in named:
            named[_key(var)] = slot_creator.create_slot_with_initializer(
                var, initializer, shape, dtype, op_name
            )
        return named[_key(var)]

    def _zeros_slot(self, var: Any, slot_name: str, op_name: str) -> Any:
        named = self._slot_dict(slot_name)
        if _key(var) not in named:
            named[_key(var)] = slot_creator.create_zeros_slot(var, op_name)
        return named[_key(var)]

    def _create_non_slot_variable(self, initial_value: Any, name: str, colocate_with: Any) -> Any:
        key = (name, colocate_with.graph)
        found = self._non_slot_dict.get(key)
        if found is None:
            with get_default_graph().colocate_with(colocate_with.op):
                found = self._non_slot_dict[key] = Variable(
                    initial_value,
                    name=name,
                    trainable=False,
                    use_resource=is_resource_variable(colocate_with),
                )
        return found

    def _get_non_slot_variable(self, name: str, graph: Any = None) -> Any:
        return self._non_slot_dict.get((name, graph))

    def _non_slot_variables(self) -> Any:
        return self._non_slot_dict.values()

    # -- for subclasses ----------------------------------------------------------------------------

    def _valid_dtypes(self) -> set[Any]:
        return {dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64}

    def _assert_valid_dtypes(self, tensors: Sequence[Any]) -> None:
        valid = self._valid_dtypes()
        for tensor in tensors:
            dtype = tensor.dtype.base_dtype
            if dtype not in valid:
                raise ValueError(
                    f"Invalid type {dtype!r} for {tensor.name}, expected: {list(valid)}."
                )

    def _create_slots(self, var_list: list[Any]) -> None:
        """Make the slots of these variables; a subclass that keeps any overrides this."""

    def _prepare(self) -> None:
        """Make the tensors that all updates share; called inside the optimizer's name scope."""

    def _apply_dense(self, grad: Tensor, var: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _apply_dense")

    def _resource_apply_dense(self, grad: Tensor, handle: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _resource_apply_dense")

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Any) -> Any:
        values, indices = deduplicate(grad.values, grad.indices)
        return self._apply_sparse(IndexedSlices(values, indices, grad.dense_shape), var)

    def _resource_apply_sparse_duplicate_indices(
        self, grad: Tensor, handle: Any, indices: Tensor
    ) -> Any:
        values, unique = deduplicate(grad, indices)
        return self._resource_apply_sparse(values, handle, unique)

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _apply_sparse")

    def _resource_apply_sparse(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _resource_apply_sparse")

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        """The operation that stands for all updates."""
        return group(*update_ops, name=name_scope)

    def _call_if_callable(self, param: Any) -> Any:
        return param() if callable(param) else param


def _flat(var_list: Any) -> list[Any]:
    if isinstance(var_list, dict):
        return [v for k in sorted(var_list) for v in _flat(var_list[k])]
    if hasattr(var_list, "_get_variable_list"):
        return list(var_list)
    if isinstance(var_list, (list, tuple)):
        return [v for item in var_list for v in _flat(item)]
    return [var_list]


def _add_one(global_step: Any, scope: str) -> Any:
    if is_resource_variable(global_step):
        one = convert_to_tensor(1, dtype=global_step.dtype)
        return raw.AssignAddVariableOp(global_step.handle, one, name=scope)
    return assign_add(global_step, 1, name=scope)


class KernelOptimizer(Optimizer):
    """An optimizer whose update of a variable is one node: `Apply<kind>` and its three kin.

    `_kind` names the op; `_slot_order` the slots in the order of its inputs; `_order` its further
    inputs: names of tensors that `_prepare` keeps in `_rates`, and "grad".
    """

    _kind = ""
    _slot_order: tuple[str, ...] = ()
    _order: tuple[str, ...] = ("grad",)

    def __init__(self, use_locking: bool, name: str):
        super().__init__(use_locking, name)
        self._rates: dict[str, Tensor] = {}

    def _keep(self, **rates: Any) -> None:
        """Convert rates (values, tensors or functions that give them) to tensors of these names."""
        for name, value in rates.items():
            self._rates[name] = convert_to_tensor(self._call_if_callable(value), name=name)

    def _attrs(self) -> dict[str, Any]:
        return {"use_locking": self._use_locking}

    def _rate(self, name: str, dtype: Any, resource: bool, sparse: bool) -> Tensor:
        del resource, sparse
        return cast(self._rates[name], dtype)

    def _build(self, var: Any, grad: Any, indices: Any = None) -> Any:
        resource = var.op.type == "VarHandleOp"
        slots = [self.get_slot(var, s) for s in self._slot_order]
        dtype = var.dtype.base_dtype
        inputs = [v.handle if resource else v for v in (var, *slots)]
        for name in self._order:
            if name != "grad":
                inputs.append(self._rate(name, dtype, resource, indices is not None))
                continue
            inputs.append(grad)
            if indices is not None:
                inputs.append(indices)
        prefix = ("Resource" if resource else "") + ("Sparse" if indices is not None else "")
        node = getattr(raw, f"{prefix}Apply{self._kind}")(*inputs, **self._attrs())
        return getattr(node, "op", node)

    def _apply_dense(self, grad: Tensor, var: Any) -> Any:
        return self._build(var, grad)

    def _resource_apply_dense(self, grad: Tensor, handle: Any) -> Any:
        return self._build(handle, grad)

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        return self._build(var, grad.values, grad.indices)

    def _resource_apply_sparse(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        return self._build(handle, grad, indices)
