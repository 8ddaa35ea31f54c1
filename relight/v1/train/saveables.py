"""What a Saver saves: variables, slices of them, and objects that say so themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from relight.graph.device import DeviceSpec
from relight.graph.graph import get_default_graph
from relight.graph.node import Operation, Tensor
from relight.ops.build import convert_to_tensor, raw
from relight.v1.functions.array import reshape
from relight.v1.functions.partitioned_variables import PartitionedVariable
from relight.v1.functions.resource_variables import BaseResourceVariable
from relight.v1.functions.variables import RefVariable, Variable

_REFERENCE_OPS = ("Variable", "VariableV2", "AutoReloadVariable")
_VARIABLE_OPS = (*_REFERENCE_OPS, "VarHandleOp", "ReadVariableOp")


class SaveSpec:
    """One tensor to save: the tensor, its key in the checkpoint, and which slice of it it is."""

    def __init__(
        self, tensor: Any, slice_spec: str, name: str, dtype: Any = None, device: str | None = None
    ):
        self._tensor: Any = tensor
        self.slice_spec = slice_spec
        self.name = name
        if callable(tensor) and not isinstance(tensor, (Tensor, Variable)):
            if dtype is None or device is None:
                raise AssertionError(
                    "When passing a callable `tensor` to a SaveSpec, an explicit dtype and device "
                    "must be provided."
                )
            self.dtype, self.device = dtype, device
        else:
            self.dtype = tensor.dtype
            self.device = device if device is not None else tensor.device

    @property
    def tensor(self) -> Any:
        """The tensor; one given as a function is made anew each time."""
        if callable(self._tensor) and not isinstance(self._tensor, (Tensor, Variable)):
            return self._tensor()
        return self._tensor


class SaveableObject:
    """Something that a checkpoint holds as one or more tensors, and that can be set from them."""

    def __init__(self, op: Any, specs: list[SaveSpec], name: str):
        self.op = op
        self.specs = specs
        self.name = name

    @property
    def optional_restore(self) -> bool:
        """Whether a checkpoint may lack it."""
        return False

    @property
    def device(self) -> str:
        """The device of its tensors."""
        return self.specs[0].device

    def restore(self, restored_tensors: list[Tensor], restored_shapes: Any) -> Any:
        """An operation that sets the state from tensors, of `restored_shapes` where given."""
        raise NotImplementedError("Calling an abstract method.")


class ReferenceVariableSaveable(SaveableObject):
    """A reference variable."""

    def __init__(self, var: Any, slice_spec: str, name: str):
        super().__init__(var, [SaveSpec(var, slice_spec, name, dtype=var.dtype)], name)

    def restore(self, restored_tensors: list[Tensor], restored_shapes: Any) -> Any:
        """Assign the tensor to the variable."""
        value = restored_tensors[0]
        if restored_shapes is not None:
            value = reshape(value, restored_shapes[0])
        variable = self.op
        if isinstance(variable, Variable):
            variable = variable._ref()
        validate = restored_shapes is None and variable.get_shape().is_fully_defined()
        return raw.Assign(variable, value, validate_shape=validate)


class ResourceVariableSaveable(SaveableObject):
    """A resource variable, or the operation that reads one."""

    def __init__(self, var: Any, slice_spec: str, name: str):
        self._var_device = var.device
        self._var_shape = var.shape
        tensor: Any = var
        if isinstance(var, Tensor):
            self.handle_op = var.op.inputs[0]
        elif isinstance(var, BaseResourceVariable):
            self.handle_op = var.handle

            def read() -> Tensor:
                graph = get_default_graph()
                with graph.device(var.device):
                    value = var.read_value()
                    with graph.device("/device:CPU:0"):
                        return raw.Identity(value)

            tensor = read
        else:
            raise ValueError(
                "Saveable is neither a resource variable nor a read operation. Got: " + repr(var)
            )
        spec = SaveSpec(tensor, slice_spec, name, dtype=var.dtype, device=var.device)
        super().__init__(var, [spec], name)

    def restore(self, restored_tensors: list[Tensor], restored_shapes: Any) -> Any:
        """Assign the tensor to the variable."""
        value = restored_tensors[0]
        if restored_shapes is not None:
            value = reshape(value, restored_shapes[0])
        with get_default_graph().device(self._var_device):
            value = raw.Identity(value)
            self._var_shape.assert_is_compatible_with(value.shape)
            return raw.AssignVariableOp(self.handle_op, value)


def set_cpu0(device: str) -> str:
    """The device name with its device replaced by CPU:0."""
    spec = DeviceSpec.from_string(device)
    spec.device_type, spec.device_index = "CPU", 0
    return spec.to_string()


def _comes_from_variable(tensor: Any) -> bool:
    return isinstance(tensor, Tensor) and tensor.op.type in _VARIABLE_OPS


def _of_kind(variable: Any, spec: str, name: str) -> SaveableObject:
    if variable.op.type in _REFERENCE_OPS:
        return ReferenceVariableSaveable(variable, spec, name)
    return ResourceVariableSaveable(variable, spec, name)


def _reference(value: Any) -> Any:
    """The tensor behind a variable, or `value` itself."""
    if isinstance(value, (BaseResourceVariable, RefVariable)):
        return value._as_graph_element()
    convert = getattr(value, "_as_graph_element", None)
    return convert() if convert is not None else value


def _gathered(value: Any) -> dict[str, Callable[..., Any]] | None:
    """The saveables that an object of another kind offers, or None."""
    gather = getattr(value, "_gather_saveables_for_checkpoint", None)
    if gather is None or isinstance(value, (Variable, Tensor)):
        return None
    return gather()


def saveable_objects_for_op(op: Any, name: str) -> Iterator[SaveableObject]:
    """The saveables of a variable, a list of slices, or an object with saveables of its own."""
    if not isinstance(name, str):
        raise TypeError(
            "names_to_saveables must be a dict mapping string names to trackable operations. "
            f"Name is not a string: {name}"
        )
    if isinstance(op, SaveableObject):
        yield op
        return
    if isinstance(op, (list, tuple, PartitionedVariable)):
        yield from _slices(list(op), name)
        return
    gathered = _gathered(op)
    if gathered is not None:
        for attr, factory in gathered.items():
            full_name = name if attr == "VARIABLE_VALUE" else f"{name}_{attr}"
            part = factory(full_name) if callable(factory) else factory
            yield from saveable_objects_for_op(part, part.name)
        return
    variable = _reference(op)
    if not isinstance(variable, Tensor):
        variable = convert_to_tensor(variable, as_ref=True)
    if not _comes_from_variable(variable):
        raise TypeError(
            "names_to_saveables must be a dict mapping string names to Tensors/Variables. Not a "
            f"variable: {variable}"
        )
    yield _of_kind(variable, "", name)


def _slices(variables: list[Any], name: str) -> Iterator[SaveableObject]:
    slice_name = None
    for variable in variables:
        if not isinstance(variable, Variable):
            raise ValueError(f"Slices must all be Variables: {variable}")
        info = variable._save_slice_info
        if not info:
            raise ValueError(f"Slices must all be slices: {variable}")
        if slice_name is None:
            slice_name = info.full_name
        elif slice_name != info.full_name:
            raise ValueError(
                f"Slices must all be from the same tensor: {slice_name} != {info.full_name}"
            )
        yield _of_kind(variable, info.spec, name)


def op_list_to_dict(op_list: Any, convert_variable_to_tensor: bool = True) -> dict[str, Any]:
    """Name in the checkpoint -> what is saved under it; slices of one variable are one list."""
    if not isinstance(op_list, (list, tuple, set)):
        raise TypeError(f"Variables to save should be passed in a dict or a list: {op_list}")
    found: dict[str, Any] = {}
    for var in sorted(op_list, key=lambda v: v.name):
        if isinstance(var, SaveableObject):
            found[var.name] = var
            continue
        if isinstance(var, PartitionedVariable):
            if var.name in found:
                raise ValueError(f"At least two variables have the same name: {var.name}")
            found[var.name] = var
            continue
        info = getattr(var, "_save_slice_info", None)
        if isinstance(var, Variable) and info:
            group = found.setdefault(info.full_name, [])
            if not isinstance(group, list):
                raise ValueError(
                    f"Mixing slices and non-slices with the same name: {info.full_name}"
                )
            group.append(var)
            continue
        gathered = _gathered(var)
        if gathered is not None:
            parts = [f() if callable(f) else f for f in gathered.values()]
            found.update(op_list_to_dict(parts))
            continue
        item = _reference(var) if convert_variable_to_tensor else var
        if convert_variable_to_tensor and not _comes_from_variable(item):
            raise TypeError(f"Variable to save is not a Variable: {item}")
        op: Operation = item.op
        name = op.inputs[0].op.name if op.type == "ReadVariableOp" else op.name
        if name in found:
            raise ValueError(f"At least two variables have the same name: {name}")
        found[name] = item
    return found


def validate_and_slice_inputs(names_to_saveables: Any) -> list[SaveableObject]:
    """The saveables of a dict or list, sorted by name. ValueError when one is there twice."""
    if not isinstance(names_to_saveables, dict):
        names_to_saveables = op_list_to_dict(names_to_saveables)
    saveables: list[SaveableObject] = []
    seen: set[int] = set()
    for name, op in sorted(names_to_saveables.items(), key=lambda item: item[0]):
        for saveable in saveable_objects_for_op(op, name):
            if id(saveable.op) in seen:
                raise ValueError(
                    f"The same saveable will be restored with two names: {saveable.name}"
                )
            seen.add(id(saveable.op))
            saveables.append(saveable)
    return saveables
