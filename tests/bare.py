"""Programs in processes of their own, with modules of relight.v1 but without its namespace.

`relight.v1` imports torch, which takes more than a second; logging, flags and app need none of it.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WITHOUT_NAMESPACE = (
    "import sys, types\n"
    "package = types.ModuleType('relight.v1')\n"
    f"package.__path__ = [{str(ROOT / 'relight' / 'v1')!r}]\n"
    "sys.modules['relight.v1'] = package\n"
)


def python(*args, cwd=None):
    """Exit code, stdout and stderr of ``python ARGS`` with this relight importable."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(
        [sys.executable, *args], capture_output=True, text=True, env=environment, cwd=cwd
    )
    return done.returncode, done.stdout, done.stderr
