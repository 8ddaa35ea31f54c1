"""The graph as plain data: operations, tensors, types, shapes, scopes. No kernels."""
