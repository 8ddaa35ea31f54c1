"""``python -m relight PROGRAM``: the same as ``relight run PROGRAM``."""

from relight.cli.main import main_module

if __name__ == "__main__":
    main_module()
