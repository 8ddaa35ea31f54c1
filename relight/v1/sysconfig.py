"""``tf.sysconfig``: where headers and libraries for custom C++ operators would lie.

relight loads no compiled operators: the paths exist for programs that print or pass them on.
"""

from __future__ import annotations

import os

from relight.v1._missing import missing

__all__ = [
    "CXX11_ABI_FLAG",
    "MONOLITHIC_BUILD",
    "get_compile_flags",
    "get_include",
    "get_lib",
    "get_link_flags",
]

CXX11_ABI_FLAG = 0
MONOLITHIC_BUILD = 0


def get_lib() -> str:
    """The package's folder."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def get_include() -> str:
    """The folder ``include`` of the package."""
    return os.path.join(get_lib(), "include")


def get_compile_flags() -> list[str]:
    """Compiler flags: the include path and the C++ ABI."""
    return [f"-I{get_include()}", f"-D_GLIBCXX_USE_CXX11_ABI={CXX11_ABI_FLAG}"]


def get_link_flags() -> list[str]:
    """Linker flags: the library's folder and name."""
    return [f"-L{get_lib()}", "-l:libtensorflow_framework.so.1"]


__getattr__ = missing("tf.sysconfig")
