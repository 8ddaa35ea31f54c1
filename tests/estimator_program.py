"""The CNN example with an Estimator, as relight and real TensorFlow 1.15 (Python 3.7) both run it.

`record` gives its log lines, with numbers that may differ masked, and its three graphs.
"""

import hashlib
import logging
import os
import re
import types

import numpy as np

STEPS = 120


class _Collect(logging.Handler):
    """Keeps what is logged as text."""

    def __init__(self):
        logging.Handler.__init__(self)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.levelname}:tensorflow:{record.getMessage()}")


def masked(line, folder):
    """A log line without what differs from run to run: numbers, times, addresses, the folder."""
    line = line.replace(folder, "DIR")
    line = re.sub(r"0x[0-9a-f]+", "0xADDRESS", line)
    line = re.sub(r"\d{4}-\d\d-\d\d[T-]\d\d:\d\d:\d\dZ?", "TIME", line)
    line = re.sub(r"\[\[[\s\d.e\[\]-]*\]\]", "ARRAY", line)
    return re.sub(r"-?\d+\.\d+(e-?\d+)?|\bnan\b", "NUMBER", line)


def load(path):
    """The example as a module, its flags defined once."""
    module = types.ModuleType("mnist_cnn_estimator")
    with open(path) as f:
        exec(compile(f.read(), path, "exec"), module.__dict__)
    return module


def nodes(graph):
    """[name, type, inputs, device, attrs as text] of each node."""
    found = []
    for op in graph.get_operations():
        node = op.node_def
        attrs = {}
        for key in sorted(node.attr):
            text = re.sub(r"\s+", " ", str(node.attr[key]).strip())
            text = re.sub(r"_temp_[0-9a-f]{32}", "_temp_RANDOM", text)  # the saver's own name
            # Versions of protobuf write floats with 9 or with 17 digits.
            text = re.sub(r"-?\d+\.\d+(e[-+]?\d+)?", lambda m: f"{float(m.group()):.6g}", text)
            if len(text) > 90:
                text = text[:40] + " #" + hashlib.sha1(text.encode()).hexdigest()[:10]
            attrs[key] = text
        found.append([op.name, op.type, list(node.input), node.device, attrs])
    return found


def collections(graph):
    """{collection: names of its items}."""
    return {
        str(key): [getattr(item, "name", type(item).__name__) for item in graph.get_collection(key)]
        for key in graph.get_all_collection_keys()
    }


def record(tf, example, folder):
    """{"log": lines, "graphs": {mode: {"nodes", "collections"}}, "files": names}."""
    graphs = {}

    class Dump(tf.train.SessionRunHook):
        def __init__(self, mode):
            self.mode = mode

        def after_create_session(self, session, coord):
            graph = session.graph
            graphs[self.mode] = {"nodes": nodes(graph), "collections": collections(graph)}

    random = np.random.RandomState(0)
    images = random.rand(500, 784).astype(np.float32)
    labels = (np.arange(500) % 10).astype(np.int32)
    data = types.SimpleNamespace(images=images, labels=labels)
    logger = logging.getLogger("tensorflow")
    handler, handlers, level = _Collect(), list(logger.handlers), logger.level
    logger.handlers[:] = [handler]
    tf.logging.set_verbosity(tf.logging.INFO)
    try:
        for run in range(2):
            tf.reset_default_graph()
            classifier = example.make_classifier(folder, "sgd", 0.001)
            show = tf.train.LoggingTensorHook(
                tensors={"probabilities": "softmax_tensor"}, every_n_iter=50
            )
            hooks = [show, Dump("train")] if run == 0 else [show]
            example.train(classifier, data, STEPS, batch_size=5, hooks=hooks)
            print(example.evaluate(classifier, data))
        evaluation = tf.estimator.inputs.numpy_input_fn(
            {"x": images}, labels, num_epochs=1, shuffle=False
        )
        classifier.evaluate(evaluation, steps=2, name="again", hooks=[Dump("eval")])
        prediction = tf.estimator.inputs.numpy_input_fn({"x": images[:3]}, shuffle=False)
        list(classifier.predict(prediction, hooks=[Dump("predict")]))
    finally:
        logger.handlers[:] = handlers
        logger.setLevel(level)
    files = sorted(re.sub(r"tfevents\..*", "tfevents", f) for f in os.listdir(folder))
    lines = [masked(line, folder) for line in handler.lines if "deprecated" not in line]
    return {"log": lines, "graphs": graphs, "files": files}
