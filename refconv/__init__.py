"""Reference verification and golden test vectors for the convolution layer of neural networks."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from refconv.version import __version__ as __version__

TYPE_CHECKING = False  # which type checkers take for true; to import typing takes longer than all of this
if TYPE_CHECKING:
    from typing import Any

    from refconv.api import *  # noqa: F403  (type checkers read its __all__)

_FUNCTIONS = ("check", "generate")  # public functions that go before the rooms of the same names


class _Package(ModuleType):
    """The package, which imports NumPy and all the rest when the first name is used and not before.

    pytest loads the plugin of this package, and with it the package, in every project where it is installed.
    """

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [*importlib.import_module("refconv.api").__all__, "__version__"]
        if not name.startswith("__"):
            from importlib.util import find_spec

            if name not in _FUNCTIONS and find_spec(f"{self.__name__}.{name}"):
                return importlib.import_module(f"{self.__name__}.{name}")
            if name in self.__getattr__("__all__"):
                return getattr(importlib.import_module("refconv.api"), name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in _FUNCTIONS):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__getattr__("__all__")})


sys.modules[__name__].__class__ = _Package
