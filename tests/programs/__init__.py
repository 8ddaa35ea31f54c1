"""Training programs that real TensorFlow 1.15 and relight both run: syntax of Python 3.7.

A program is a module with `run(tf, np, data, steps)`, which trains with seeds set and returns
{"losses": [steps] floats, "before": {variable: array}, "after": {variable: array}}, and
`graphs(tf, np, data)`, which yields (name, graph) of every graph that it builds. A program with a
session of its own has `build(tf)` as well, which builds its graph and returns its endpoints.
"""

SESSION = ("softmax", "feed_forward", "moving_average", "deep_mnist")
ESTIMATOR = ("cnn_estimator", "cnn_one_hot")
NAMES = SESSION + ESTIMATOR
GRAPHS = ("basics",) + NAMES  # programs whose graphs are compared
