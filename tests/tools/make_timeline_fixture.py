"""Write tests/data/timeline with TensorFlow 1.15: python make_timeline_fixture.py DIR.

step_stats.pb is the trace of one step of a small network, trace.json and plain.json are what
TensorFlow's Timeline makes of it (with the memory's events, and without anything but the ops), and
maximums.json has the largest memory use of each allocator.
"""

import json
import os
import sys

import numpy as np
import tensorflow as tf
from tensorflow.python.client import timeline


def main():
    """Run the step and write the files."""
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    hidden = tf.layers.dense(x, 8, activation=tf.nn.relu, name="hidden")
    loss = tf.reduce_mean(tf.square(tf.layers.dense(hidden, 2, name="output")))
    train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    metadata = tf.RunMetadata()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run([train, loss], {x: np.ones([3, 4])}, options, metadata)
    stats = metadata.step_stats
    data = stats.SerializeToString()

    def write(name, content, mode="w"):
        with open(os.path.join(sys.argv[1], name), mode) as file:
            file.write(content)

    write("step_stats.pb", data, "wb")
    write("trace.json", timeline.Timeline(stats).generate_chrome_trace_format(show_memory=True))
    plain = timeline.Timeline(stats).generate_chrome_trace_format(show_dataflow=False)
    write("plain.json", plain)
    maximums = timeline.Timeline(stats).analyze_step_stats().allocator_maximums
    found = {k: [v.timestamp, v.num_bytes, sorted(v.tensors)] for k, v in maximums.items()}
    write("maximums.json", json.dumps(found, indent=1, sort_keys=True))


main()
