"""Python-level functions that build nodes: what `tf.reduce_mean` or `tf.nn.conv2d` do.

One file a family; `@export` says under which public names TensorFlow has each.
"""
