"""`make bench`: relight beside real TensorFlow and hand-written PyTorch, in one run."""
