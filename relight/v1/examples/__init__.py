"""`tensorflow.examples`: the modules that tutorial programs import."""
