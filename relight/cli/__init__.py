"""The command `relight`."""
