"""The ops: one record each, with kernel, shape rule and gradient, one file a family.

Importing this package declares them all.
"""

from relight.ops import constants, placeholders, state

__all__ = ["constants", "placeholders", "state"]
