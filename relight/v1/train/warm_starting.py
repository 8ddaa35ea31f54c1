"""Warm starts: variables take their first values from the checkpoint of another training."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from relight.graph.collections import GraphKeys
from relight.graph.export import export
from relight.graph.graph import get_default_graph
from relight.v1 import logging
from relight.v1.functions.variables import Variable
from relight.v1.train.checkpoint_utils import init_from_checkpoint
from relight.v1.train.saveables import op_list_to_dict
from relight.v1.train.warm_vocabulary import renames, start_with_vocabulary


class _VocabFields(NamedTuple):
    new_vocab: Any
    new_vocab_size: Any
    num_oov_buckets: Any
    old_vocab: Any
    old_vocab_size: Any
    backup_initializer: Any
    axis: Any


@export("train.VocabInfo", "estimator.VocabInfo")
class VocabInfo(_VocabFields):
    """Which rows (axis 0) or columns (1) of a variable stand for which words, now and before."""

    __slots__ = ()

    def __new__(
        cls,
        new_vocab: Any,
        new_vocab_size: int,
        num_oov_buckets: int,
        old_vocab: Any,
        old_vocab_size: int = -1,
        backup_initializer: Any = None,
        axis: int = 0,
    ) -> VocabInfo:
        if axis not in (0, 1):
            raise ValueError(
                "The only supported values for the axis argument are 0 and 1.  Provided axis: "
                f"{axis}"
            )
        return super().__new__(
            cls, new_vocab, new_vocab_size, num_oov_buckets, old_vocab, old_vocab_size,
            backup_initializer, axis,
        )  # fmt: skip


class _SettingsFields(NamedTuple):
    ckpt_to_initialize_from: Any
    vars_to_warm_start: Any
    var_name_to_vocab_info: Any
    var_name_to_prev_var_name: Any


@export("estimator.WarmStartSettings")
class WarmStartSettings(_SettingsFields):
    """Where an Estimator's variables take their first values from.

    Args:
      ckpt_to_initialize_from: a checkpoint, or a directory with one.
      vars_to_warm_start: a regular expression over the trainable variables' names, a list of such
        over all variables', a list of variables, or None for those with a vocabulary only.
      var_name_to_vocab_info: {variable: VocabInfo}.
      var_name_to_prev_var_name: {variable: its name in the checkpoint}.
    """

    __slots__ = ()

    def __new__(
        cls,
        ckpt_to_initialize_from: Any,
        vars_to_warm_start: Any = ".*",
        var_name_to_vocab_info: Any = None,
        var_name_to_prev_var_name: Any = None,
    ) -> WarmStartSettings:
        if not ckpt_to_initialize_from:
            raise ValueError("`ckpt_to_initialize_from` MUST be set in WarmStartSettings")
        return super().__new__(
            cls,
            ckpt_to_initialize_from,
            vars_to_warm_start,
            var_name_to_vocab_info or {},
            var_name_to_prev_var_name or {},
        )


def warm_start_settings(warm_start_from: Any) -> WarmStartSettings | None:
    """The settings that an Estimator's `warm_start_from` means."""
    if warm_start_from is None or isinstance(warm_start_from, WarmStartSettings):
        return warm_start_from
    if isinstance(warm_start_from, (str, bytes)):
        path = os.fsdecode(warm_start_from)
        variables = os.path.join(path, "variables", "variables")
        if os.path.exists(variables + ".index"):
            logging.info("Warm-starting from a SavedModel")
            return WarmStartSettings(ckpt_to_initialize_from=variables)
        return WarmStartSettings(ckpt_to_initialize_from=warm_start_from)
    raise ValueError(
        "warm_start_from must be a string or a WarmStartSettings, instead got "
        f"{type(warm_start_from)}"
    )


def _grouped(vars_to_warm_start: Any) -> dict[str, list[Any]]:
    """{name in a checkpoint: variables}, the parts of a partitioned variable under one name."""
    graph = get_default_graph()
    if isinstance(vars_to_warm_start, str) or vars_to_warm_start is None:
        logging.info("Warm-starting variables only in TRAINABLE_VARIABLES.")
        found = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES, scope=vars_to_warm_start)
    elif not isinstance(vars_to_warm_start, list):
        raise ValueError(
            "`vars_to_warm_start must be a `list` or `str`.  Given type is "
            f"{type(vars_to_warm_start)}"
        )
    elif all(isinstance(v, str) for v in vars_to_warm_start):
        found = []
        for pattern in vars_to_warm_start:
            found += graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=pattern)
    elif all(isinstance(v, Variable) for v in vars_to_warm_start):
        found = vars_to_warm_start
    else:
        raise ValueError(
            "If `vars_to_warm_start` is a list, it must be all `Variable` or all `str`.  Given "
            f"types are {[type(v) for v in vars_to_warm_start]}"
        )
    grouped: dict[str, list[Any]] = {}
    for variable in found:
        (name,) = op_list_to_dict([variable])
        grouped.setdefault(name, []).append(variable)
    return grouped


@export("train.warm_start")
def warm_start(
    ckpt_to_initialize_from: Any,
    vars_to_warm_start: Any = ".*",
    var_name_to_vocab_info: Any = None,
    var_name_to_prev_var_name: Any = None,
) -> None:
    """Let variables be initialized from a checkpoint; the arguments are WarmStartSettings'.

    Raises ValueError for settings that name variables which are not there.
    """
    logging.info("Warm-starting from: %s", ckpt_to_initialize_from)
    grouped = _grouped(vars_to_warm_start)
    vocabularies = dict(var_name_to_vocab_info or {})
    previous = dict(var_name_to_prev_var_name or renames(ckpt_to_initialize_from, list(grouped)))
    assignments: dict[str, Any] = {}
    remapped = 0
    for name, variables in grouped.items():
        source = previous.get(name)
        if vocabularies.get(name):
            remapped += 1
            start_with_vocabulary(
                variables, vocabularies[name], ckpt_to_initialize_from, source or name
            )
        elif vars_to_warm_start:
            logging.debug(
                "Warm-starting variable: %s; prev_var_name: %s", name, source or "Unchanged"
            )
            assignments[source or name] = variables[0] if len(variables) == 1 else variables
    init_from_checkpoint(ckpt_to_initialize_from, assignments)
    logging.info("Warm-started %d variables.", len(assignments) + remapped)
    for what, given in (
        ("var_name_to_prev_var_name", previous),
        ("var_name_to_vocab_info", vocabularies),
    ):
        unused = set(given) - set(grouped)
        if unused:
            raise ValueError(
                f"You provided the following variables in {what} that were not used: {unused}.  "
                "Perhaps you misspelled them?  Here is the list of viable variable names: "
                f"{grouped.keys()}"
            )
