"""``tf.contrib.training.HParams``: typed name-value pairs, set from keywords, text or JSON."""

from __future__ import annotations

import json
import numbers
import re
from collections.abc import Mapping
from typing import Any

from relight.graph.export import export

__all__ = ["HParams", "parse_values"]

_CLAUSE = re.compile(
    r"(?P<name>[a-zA-Z][\w.]*)"  # x or layer.x
    r"(?:\[\s*(?P<index>\d+)\s*\])?"  # x[3]
    r"\s*=\s*"
    r"(?:(?P<val>[^,\[]*)|\[(?P<vals>[^\]]*)\])"  # one value, or [several]
    r"(?:$|,\s*)"
)


def _bool(text: str) -> bool:
    if text in ("true", "True"):
        return True
    if text in ("false", "False"):
        return False
    return bool(int(text))


def _cast(name: str, param_type: type, value: Any) -> Any:
    """`value` as `param_type`: numbers widen (an int for a float), nothing else changes its kind.

    Raises:
      ValueError: when it does not fit.
    """
    if type(value) is param_type or param_type is type(None):
        return value
    fits = (
        issubclass(param_type, bool) == isinstance(value, bool)
        and (not issubclass(param_type, (str, bytes)) or isinstance(value, (str, bytes)))
        and (not issubclass(param_type, numbers.Integral) or isinstance(value, numbers.Integral))
        and (not issubclass(param_type, numbers.Number) or isinstance(value, numbers.Number))
    )
    if not fits:
        raise ValueError(
            f"Could not cast hparam '{name}' of type '{param_type}' from value {value!r}"
        )
    return param_type(value)


@export("contrib.training.parse_values")
def parse_values(
    values: str, type_map: Mapping[str, type], ignore_unknown: bool = False
) -> dict[str, Any]:
    """Reads ``"a=1,b=[x,y],c[2]=0.5"``.

    Args:
      values: clauses ``name=value``, ``name=[value,...]`` or ``name[index]=value``.
      type_map: the type of each name.
      ignore_unknown: skip names without a type instead of raising.

    Returns:
      A value, a list or, for indexed clauses, a dict from index to value, by name.

    Raises:
      ValueError: for malformed text, a value of the wrong type, an unknown name, a second value.
    """
    results: dict[str, Any] = {}
    position = 0
    while position < len(values):
        clause = _CLAUSE.match(values, position)
        if clause is None:
            raise ValueError(f"Malformed hyperparameter value: {values[position:]}")
        position = clause.end()
        name, index, value, several = clause.group("name", "index", "val", "vals")
        if name not in type_map:
            if ignore_unknown:
                continue
            raise ValueError(f"Unknown hyperparameter type for {name}")
        type_ = type_map[name]
        parse = _bool if type_ is bool else type_
        if several is not None and index is not None:
            raise ValueError("Assignment of a list to a list index.")
        try:
            if several is not None:
                parsed: Any = [parse(item) for item in re.split("[ ,]", several) if item]
            else:
                parsed = parse(value)
        except ValueError as error:
            text = value if several is None else several
            raise ValueError(
                f"Could not parse hparam '{name}' of type '{type_.__name__}' "
                f"with value '{text}' in {values}"
            ) from error
        if index is None:
            place, key, label = results, name, name
        else:
            place, key, label = results.setdefault(name, {}), int(index), f"{name}[{index}]"
            if not isinstance(place, dict):
                raise ValueError(f"Multiple assignments to variable '{name}' in {values}")
        if key in place:
            raise ValueError(f"Multiple assignments to variable '{label}' in {values}")
        place[key] = parsed
    return results


@export("contrib.training.HParams")
class HParams:
    """Hyperparameters as attributes, each of a type that its first value fixes.

    Args:
      hparam_def: not supported: the message that it takes is not among tensorboard's protos.
      model_structure: anything; kept for `get_model_structure`.
      **kwargs: names and values: int, float, bool, str, or a non-empty list of one of these.

    Raises:
      ValueError: for a reserved name or an empty list.
    """

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any) -> None:
        self._hparam_types: dict[str, tuple[type, bool]] = {}
        self._model_structure = model_structure
        if hparam_def is not None:
            raise ValueError(
                "HParams(hparam_def=...) is not supported by relight: give names and values"
            )
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name: str, value: Any) -> None:
        """Adds a hyperparameter; ValueError when the name is taken or a list is empty."""
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        if isinstance(value, (list, tuple)):
            if not value:
                raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
            self._hparam_types[name] = (type(value[0]), True)
        else:
            self._hparam_types[name] = (type(value), False)
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Changes a value; KeyError for an unknown name, ValueError for another type."""
        param_type, is_list = self._hparam_types[name]
        if isinstance(value, list) and not is_list:
            raise ValueError(f"Must not pass a list for single-valued parameter: {name}")
        if is_list and not isinstance(value, list):
            raise ValueError(f"Must pass a list for multi-valued parameter: {name}.")
        cast = [_cast(name, param_type, v) for v in (value if is_list else [value])]
        setattr(self, name, cast if is_list else cast[0])

    def del_hparam(self, name: str) -> None:
        """Removes a hyperparameter; nothing happens when it does not exist."""
        if hasattr(self, name):
            delattr(self, name)
            del self._hparam_types[name]

    def parse(self, values: str) -> HParams:
        """Changes values as `parse_values` reads them, and returns the object."""
        return self.override_from_dict(
            parse_values(values, {name: kind for name, (kind, _) in self._hparam_types.items()})
        )

    def override_from_dict(self, values_dict: Mapping[str, Any]) -> HParams:
        """Changes several values, and returns the object; errors as for `set_hparam`."""
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    def set_from_map(self, values_map: Mapping[str, Any]) -> HParams:
        """The older name of `override_from_dict`."""
        return self.override_from_dict(values_map)

    def set_model_structure(self, model_structure: Any) -> None:
        """Keeps any object for `get_model_structure`."""
        self._model_structure = model_structure

    def get_model_structure(self) -> Any:
        """The object of `set_model_structure`."""
        return self._model_structure

    def to_json(
        self,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        """The values as a JSON object; the arguments are those of `json.dumps`."""
        return json.dumps(self.values(), indent=indent, separators=separators, sort_keys=sort_keys)

    def parse_json(self, values_json: str) -> HParams:
        """Changes the values that a JSON object names; errors as for `set_hparam`."""
        return self.override_from_dict(json.loads(values_json))

    def values(self) -> dict[str, Any]:
        """All names with their values."""
        return {name: getattr(self, name) for name in self._hparam_types}

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`, or `default` when there is none.

        Raises:
          ValueError: when there is one and `default` is of another type.
        """
        if key not in self._hparam_types:
            return default
        param_type, is_list = self._hparam_types[key]
        if default is not None:
            kind = f"list<{param_type}>" if is_list else str(param_type)
            problem = f"Hparam '{key}' of type '{kind}' is incompatible with default={default}"
            if isinstance(default, list) != is_list:
                raise ValueError(problem)
            try:
                for value in default if is_list else [default]:
                    _cast(key, param_type, value)
            except ValueError as error:
                raise ValueError(f"{problem}. {error}") from error
        return getattr(self, key)

    def __contains__(self, key: object) -> bool:
        return key in self._hparam_types

    def __str__(self) -> str:
        return ",".join(f"{name}={value}" for name, value in self.values().items())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sorted(self.values().items())})"
