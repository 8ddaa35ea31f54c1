"""`tf.train.SyncReplicasOptimizer`: gradients of several replicas are applied together."""

from __future__ import annotations

from typing import Any

from relight.graph import dtypes
from relight.graph.collections import GraphKeys
from relight.graph.composite import IndexedSlices
from relight.graph.export import export
from relight.graph.graph import get_default_graph, name_scope
from relight.graph.node import Operation, Tensor
from relight.ops.array_nodes import fill
from relight.v1 import logging
from relight.v1.functions.accumulators import ConditionalAccumulator, SparseConditionalAccumulator
from relight.v1.functions.assign import assign
from relight.v1.functions.control import group, no_op
from relight.v1.functions.queues import FIFOQueue
from relight.v1.functions.variable_lists import global_variables, report_uninitialized_variables
from relight.v1.functions.variables import Variable
from relight.v1.train import session_manager
from relight.v1.train.optimizer import Optimizer
from relight.v1.train.queue_runner import QueueRunner
from relight.v1.train.session_run_hook import SessionRunHook


@export("train.SyncReplicasOptimizer")
class SyncReplicasOptimizer(Optimizer):
    """Collects gradients in accumulators and lets another optimizer apply their mean.

    A step is done when `replicas_to_aggregate` gradients of each variable have come; then as many
    tokens as there are replicas let the replicas go on. Gradients of older steps are dropped.
    """

    def __init__(
        self,
        opt: Optimizer,
        replicas_to_aggregate: int,
        total_num_replicas: int | None = None,
        variable_averages: Any = None,
        variables_to_average: Any = None,
        use_locking: bool = False,
        name: str = "sync_replicas",
    ):
        if total_num_replicas is None:
            total_num_replicas = replicas_to_aggregate
        super().__init__(use_locking, name)
        logging.info(
            "SyncReplicasV2: replicas_to_aggregate=%s; total_num_replicas=%s",
            replicas_to_aggregate,
            total_num_replicas,
        )
        self._opt = opt
        self._replicas_to_aggregate = replicas_to_aggregate
        self._gradients_applied = False
        self._variable_averages = variable_averages
        self._variables_to_average = variables_to_average
        self._total_num_replicas = total_num_replicas
        self._tokens_per_step = max(total_num_replicas, replicas_to_aggregate)
        self._accumulator_list: list[tuple[Any, str]] = []

    def compute_gradients(self, *args: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
        """What the other optimizer computes."""
        return self._opt.compute_gradients(*args, **kwargs)

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: str | None = None
    ) -> Operation:
        """The operation that a replica runs: hands its gradients over, then waits for its token."""
        if not grads_and_vars:
            raise ValueError("Must supply at least one variable")
        if global_step is None:
            raise ValueError("Global step is required to check staleness")
        self._global_step = global_step
        graph = get_default_graph()
        anchor = no_op()
        with graph.colocate_with(anchor):
            self._local_step = Variable(
                initial_value=0,
                trainable=False,
                collections=[GraphKeys.LOCAL_VARIABLES],
                dtype=global_step.dtype.base_dtype,
                name="sync_rep_local_step",
            )
        self.local_step_init_op = assign(self._local_step, global_step)
        chief_init_ops: list[Any] = [self.local_step_init_op]
        self.ready_for_local_init_op = report_uninitialized_variables(global_variables())
        with name_scope(None, self._name):
            handed, aggregated = [], []
            for grad, var in grads_and_vars:
                with graph.device(var.device):
                    hand_over, mean = self._accumulate(grad, var)
                aggregated.append((mean, var))
                if hand_over is not None:
                    handed.append(hand_over)
            train_op = self._synchronized(handed, aggregated, global_step)
            for accumulator, device in self._accumulator_list:
                with graph.device(device):
                    chief_init_ops.append(
                        accumulator.set_global_step(global_step, name="SetGlobalStep")
                    )
            self.chief_init_op = group(*chief_init_ops)
        self._gradients_applied = True
        return train_op

    def _accumulate(self, grad: Any, var: Any) -> tuple[Any, Any]:
        """(operation that hands a gradient over, the mean of what all have handed over)."""
        if grad is None:
            return None, None
        shared_name = var.name + "/grad_accum"
        accumulator: Any
        if isinstance(grad, Tensor):
            accumulator = ConditionalAccumulator(
                grad.dtype, shape=var.get_shape(), shared_name=shared_name
            )
            hand_over = accumulator.apply_grad(grad, local_step=self._local_step)
            mean = accumulator.take_grad(self._replicas_to_aggregate)
        elif isinstance(grad, IndexedSlices):
            accumulator = SparseConditionalAccumulator(
                grad.dtype, shape=(), shared_name=shared_name
            )
            hand_over = accumulator.apply_indexed_slices_grad(grad, local_step=self._local_step)
            mean = accumulator.take_indexed_slices_grad(self._replicas_to_aggregate)
        else:
            raise ValueError("Unknown grad type!")
        self._accumulator_list.append((accumulator, var.device))
        return hand_over, mean

    def _synchronized(self, handed: list[Any], aggregated: list[Any], global_step: Any) -> Any:
        graph = get_default_graph()
        with graph.device(global_step.device), name_scope(""):
            update = self._opt.apply_gradients(aggregated, global_step)
            tokens_queue = FIFOQueue(
                -1,
                global_step.dtype.base_dtype,
                shapes=(),
                name="sync_token_q",
                shared_name="sync_token_q",
            )
            self._sync_token_queue = tokens_queue
            dummy_queue = FIFOQueue(
                1, dtypes.int32, shapes=(), name="dummy_queue", shared_name="dummy_queue"
            )
            with graph.control_dependencies(handed):
                token = tokens_queue.dequeue()
            train_op = assign(self._local_step, token)
            with graph.control_dependencies([update]):
                tokens = fill([self._tokens_per_step], global_step)
                sync = tokens_queue.enqueue_many((tokens,))
            if self._variable_averages is not None:
                with graph.control_dependencies([sync]), name_scope(""):
                    sync = self._variable_averages.apply(self._variables_to_average)
            self._chief_queue_runner = QueueRunner(dummy_queue, [sync])
        return train_op

    def _check_applied(self, message: str) -> None:
        if not self._gradients_applied:
            raise ValueError(message)

    def get_chief_queue_runner(self) -> QueueRunner:
        """The queue runner of the chief, which applies the gradients."""
        self._check_applied("Should be called after apply_gradients().")
        return self._chief_queue_runner

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        """A slot of the other optimizer."""
        return self._opt.get_slot(*args, **kwargs)

    def variables(self) -> list[Any]:
        """The variables of the other optimizer."""
        return self._opt.variables()

    def get_slot_names(self, *args: Any, **kwargs: Any) -> list[str]:
        """The slot names of the other optimizer."""
        return self._opt.get_slot_names(*args, **kwargs)

    def get_init_tokens_op(self, num_tokens: int = -1) -> Operation:
        """The operation that puts the first tokens into the queue."""
        self._check_applied("get_init_tokens_op() should be called after apply_gradients().")
        needed = self._replicas_to_aggregate - self._total_num_replicas
        if num_tokens == -1:
            num_tokens = self._replicas_to_aggregate
        elif num_tokens < needed:
            raise ValueError(
                f"Too few tokens to finish the first step: {num_tokens} (given) vs {needed} "
                "(needed)"
            )
        if num_tokens <= 0:
            return no_op(name="no_init_tokens")
        with get_default_graph().device(self._global_step.device), name_scope(""):
            tokens = fill([num_tokens], self._global_step)
            return self._sync_token_queue.enqueue_many((tokens,))

    def make_session_run_hook(self, is_chief: bool, num_tokens: int = -1) -> SessionRunHook:
        """The hook that a replica's session needs."""
        return _SyncReplicasHook(self, is_chief, num_tokens)


class _SyncReplicasHook(SessionRunHook):
    """Initializes the steps of the accumulators and starts the chief's queue runner."""

    def __init__(self, optimizer: SyncReplicasOptimizer, is_chief: bool, num_tokens: int):
        self._optimizer = optimizer
        self._is_chief = is_chief
        self._num_tokens = num_tokens

    def begin(self) -> None:
        """Make what the session will run."""
        optimizer = self._optimizer
        optimizer._check_applied(
            "SyncReplicasOptimizer.apply_gradient should be called before using the hook."
        )
        self._ready = optimizer.ready_for_local_init_op
        self._runner = self._init_tokens = None
        self._init = optimizer.local_step_init_op
        if self._is_chief:
            self._init = optimizer.chief_init_op
            self._runner = optimizer.get_chief_queue_runner()
            self._init_tokens = optimizer.get_init_tokens_op(self._num_tokens)

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Initialize, and start the chief's queue runner."""
        ready, message = session_manager._ready(
            self._ready, session, "Model is not ready for SyncReplicasOptimizer local init."
        )
        if not ready:
            raise RuntimeError(
                "Init operations did not make model ready for SyncReplicasOptimizer local_init. "
                f"Init op: {self._init.name}, error: {message}"
            )
        session.run(self._init)
        if self._init_tokens is not None:
            session.run(self._init_tokens)
        if self._runner is not None:
            self._runner.create_threads(session, coord=coord, daemon=True, start=True)
