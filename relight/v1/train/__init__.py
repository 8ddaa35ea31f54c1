# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.train`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.graph_io import (
    write_graph,
)
from relight.v1.functions.proto_classes import (
    BytesList, ClusterDef, Example, Feature, FeatureList, FeatureLists, Features, FloatList,
    Int64List, JobDef, SequenceExample, ServerDef,
)
from relight.v1.summary.writer import (
    summary_iterator,
)
from relight.v1.train import (
    experimental, queue_runner,
)
from relight.v1.train.adagrad import (
    AdadeltaOptimizer, AdagradDAOptimizer, AdagradOptimizer, ProximalAdagradOptimizer,
)
from relight.v1.train.adam import (
    AdamOptimizer,
)
from relight.v1.train.basic_session_run_hooks import (
    CheckpointSaverHook, CheckpointSaverListener, FeedFnHook, FinalOpsHook, GlobalStepWaiterHook,
    LoggingTensorHook, NanLossDuringTrainingError, NanTensorHook, ProfilerHook, SecondOrStepTimer,
    StepCounterHook, StopAtStepHook, SummarySaverHook,
)
from relight.v1.train.checkpoint import (
    Checkpoint,
)
from relight.v1.train.checkpoint_management import (
    checkpoint_exists, generate_checkpoint_state_proto, get_checkpoint_mtimes,
    get_checkpoint_state, latest_checkpoint, remove_checkpoint, update_checkpoint_state,
)
from relight.v1.train.checkpoint_manager import (
    CheckpointManager,
)
from relight.v1.train.checkpoint_reader import (
    NewCheckpointReader,
)
from relight.v1.train.checkpoint_utils import (
    checkpoints_iterator, init_from_checkpoint, list_variables, load_checkpoint, load_variable,
)
from relight.v1.train.coordinator import (
    Coordinator, LooperThread,
)
from relight.v1.train.device_setter import (
    replica_device_setter,
)
from relight.v1.train.ftrl import (
    FtrlOptimizer,
)
from relight.v1.train.gradient_descent import (
    GradientDescentOptimizer, ProximalGradientDescentOptimizer,
)
from relight.v1.train.input import (
    batch, batch_join, input_producer, limit_epochs, match_filenames_once, maybe_batch,
    maybe_batch_join, maybe_shuffle_batch, maybe_shuffle_batch_join, range_input_producer,
    shuffle_batch, shuffle_batch_join, slice_input_producer, string_input_producer,
)
from relight.v1.train.learning_rate_decay import (
    cosine_decay, cosine_decay_restarts, exponential_decay, inverse_time_decay,
    linear_cosine_decay, natural_exp_decay, noisy_linear_cosine_decay, piecewise_constant,
    piecewise_constant as piecewise_constant_decay, polynomial_decay,
)
from relight.v1.train.momentum import (
    MomentumOptimizer,
)
from relight.v1.train.monitored_session import (
    ChiefSessionCreator, MonitoredSession, MonitoredTrainingSession, SessionCreator,
    SingularMonitoredSession, WorkerSessionCreator,
)
from relight.v1.train.moving_averages import (
    ExponentialMovingAverage,
)
from relight.v1.train.optimizer import (
    Optimizer,
)
from relight.v1.train.queue_runner import (
    QueueRunner, add_queue_runner, start_queue_runners,
)
from relight.v1.train.rmsprop import (
    RMSPropOptimizer,
)
from relight.v1.train.saver import (
    Saver, SaverDef, export_meta_graph, import_meta_graph,
)
from relight.v1.train.scaffold import (
    Scaffold,
)
from relight.v1.train.server_lib import (
    ClusterSpec, Server,
)
from relight.v1.train.session_manager import (
    SessionManager,
)
from relight.v1.train.session_run_hook import (
    SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues,
)
from relight.v1.train.supervisor import (
    Supervisor, basic_train_loop,
)
from relight.v1.train.sync_replicas_optimizer import (
    SyncReplicasOptimizer,
)
from relight.v1.train.training_util import (
    assert_global_step, create_global_step, get_global_step, get_or_create_global_step,
    global_step,
)
from relight.v1.train.warm_starting import (
    VocabInfo, warm_start,
)

__getattr__ = missing("tf.train")

__all__ = [
    "AdadeltaOptimizer", "AdagradDAOptimizer", "AdagradOptimizer", "AdamOptimizer", "BytesList",
    "Checkpoint", "CheckpointManager", "CheckpointSaverHook", "CheckpointSaverListener",
    "ChiefSessionCreator", "ClusterDef", "ClusterSpec", "Coordinator", "Example",
    "ExponentialMovingAverage", "Feature", "FeatureList", "FeatureLists", "Features",
    "FeedFnHook", "FinalOpsHook", "FloatList", "FtrlOptimizer", "GlobalStepWaiterHook",
    "GradientDescentOptimizer", "Int64List", "JobDef", "LoggingTensorHook", "LooperThread",
    "MomentumOptimizer", "MonitoredSession", "MonitoredTrainingSession",
    "NanLossDuringTrainingError", "NanTensorHook", "NewCheckpointReader", "Optimizer",
    "ProfilerHook", "ProximalAdagradOptimizer", "ProximalGradientDescentOptimizer", "QueueRunner",
    "RMSPropOptimizer", "Saver", "SaverDef", "Scaffold", "SecondOrStepTimer", "SequenceExample",
    "Server", "ServerDef", "SessionCreator", "SessionManager", "SessionRunArgs",
    "SessionRunContext", "SessionRunHook", "SessionRunValues", "SingularMonitoredSession",
    "StepCounterHook", "StopAtStepHook", "SummarySaverHook", "Supervisor",
    "SyncReplicasOptimizer", "VocabInfo", "WorkerSessionCreator", "add_queue_runner",
    "assert_global_step", "basic_train_loop", "batch", "batch_join", "checkpoint_exists",
    "checkpoints_iterator", "cosine_decay", "cosine_decay_restarts", "create_global_step",
    "experimental", "exponential_decay", "export_meta_graph", "generate_checkpoint_state_proto",
    "get_checkpoint_mtimes", "get_checkpoint_state", "get_global_step",
    "get_or_create_global_step", "global_step", "import_meta_graph", "init_from_checkpoint",
    "input_producer", "inverse_time_decay", "latest_checkpoint", "limit_epochs",
    "linear_cosine_decay", "list_variables", "load_checkpoint", "load_variable",
    "match_filenames_once", "maybe_batch", "maybe_batch_join", "maybe_shuffle_batch",
    "maybe_shuffle_batch_join", "natural_exp_decay", "noisy_linear_cosine_decay",
    "piecewise_constant", "piecewise_constant_decay", "polynomial_decay", "queue_runner",
    "range_input_producer", "remove_checkpoint", "replica_device_setter", "shuffle_batch",
    "shuffle_batch_join", "slice_input_producer", "start_queue_runners", "string_input_producer",
    "summary_iterator", "update_checkpoint_state", "warm_start", "write_graph",
]
