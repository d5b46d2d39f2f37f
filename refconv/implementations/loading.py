"""From what a user types to an implementation: ``torch:float64``, ``pkg.module:conv2d``, ``path.py:conv2d``."""

from __future__ import annotations

import difflib
import gc
import importlib
import os
import re
import sys
import tomllib
from collections.abc import Collection
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from shlex import quote
from types import ModuleType
from typing import Any

from refconv.errors import ImplementationError
from refconv.implementations.callables import Runner, as_runner
from refconv.implementations.laid_out import LaidOutRunner, split_layouts
from refconv.implementations.library import LibraryRunner, is_library
from refconv.implementations.places import told

GROUP = "refconv.implementations"
INSTALL = {  # what pip calls an engine, where it is not what we call it
    "cupy": "cupy-cuda13x", "onnxruntime": "onnxruntime onnx", "tensorflow": "tensorflow-cpu",
    "paddle": "paddlepaddle", "mlx": "'mlx[cpu]'", "opencv": "opencv-python-headless onnx",
}  # fmt: skip
ALIASES = {"pytorch": "torch", "ort": "onnxruntime", "tf": "tensorflow", "cv2": "opencv", "paddlepaddle": "paddle"}
SOURCES = {".c", ".cc", ".cpp", ".cxx", ".cu", ".rs", ".zig", ".go"}
FORMS = "a known engine ({known}), package.module:name, path/file.py:name, or path/library.so"


def engines() -> dict[str, EntryPoint]:
    """Return the known engines: everything installed under the entry-point group ``refconv.implementations``."""
    known = {point.name: point for point in entry_points(group=GROUP)}
    return known if "im2col" in known else _of_a_checkout() | known


@lru_cache(maxsize=1)
def _of_a_checkout() -> dict[str, EntryPoint]:
    """Return the engines that this package would have if it were installed, from what stands beside it."""
    try:
        stated = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    except OSError:
        return {}
    points = stated.get("project", {}).get("entry-points", {}).get(GROUP, {})
    return {name: EntryPoint(name, value, GROUP) for name, value in points.items()}


def load_implementation(text: str) -> Runner:
    """Find, import and wrap the implementation that a user names.

    Parameters
    ----------
    text : str
        ``NAME`` or ``NAME:OPTION`` of a known engine, ``package.module:name``, ``path/file.py:name``, or
        ``path/library.so``, a shared library with the C ABI of ``refconv_impl.h``.  Behind an ``@``, layouts:
        ``package.module:name@NHWC,HWIO``.

    Raises
    ------
    ImplementationError
        If it cannot be found or imported; the message says what to do.

    Examples
    --------
    >>> load_implementation("im2col").name
    'im2col'
    """
    looks = gc.isenabled()
    gc.disable()  # importing an engine makes a million objects, through which Python would look for garbage
    try:
        return _load(text)
    finally:
        if looks:
            gc.enable()


def _load(text: str) -> Runner:
    plain, layouts = split_layouts(text)
    if plain != text:
        inner = _load(plain)
        return LaidOutRunner(inner, layouts, f"{inner.name}@{text.removeprefix(plain)[1:]}")
    first, _, rest = text.partition(":")
    known = engines()
    if first in known:
        return as_runner(_start(known[first], rest or None))
    if is_library(text):
        return LibraryRunner(Path(text))
    where, _, attribute = text.rpartition(":")
    if not where or not attribute:
        forms = FORMS.format(known=", ".join(sorted(known)))
        raise ImplementationError(f"an implementation must be {forms}, got {text!r}{_meant(text, known)}")
    module = _from_file(Path(where)) if where.endswith(".py") else _from_package(where)
    if not hasattr(module, attribute):
        raise ImplementationError(f"{where} must define {attribute}, but it has no such name.")
    return as_runner(getattr(module, attribute), backward=getattr(module, f"{attribute}_backward", None))


def _meant(text: str, known: Collection[str]) -> str:
    """Ask whether it was another engine, or a function of the file, that a user meant."""
    if text.endswith(".py") and Path(text).is_file():
        names = re.findall(r"^(?:def|class) ([A-Za-z]\w*)", Path(text).read_text("utf-8", "replace"), re.MULTILINE)
        if names:
            best = next((name for name in names if "conv" in name.lower()), names[0])
            return f": did you mean {text}:{best}?"
    path = Path(text)
    if path.suffix in SOURCES and path.is_file():
        return ": a source is compiled first, to a shared library, of which refconv include-dir has the header."
    if path.is_file():
        program = quote(text if os.path.dirname(text) else os.path.join(os.curdir, text))
        return f": a program stands behind two dashes, as in refconv check -- {program}."
    close = ALIASES.get(text.lower()) or next(iter(difflib.get_close_matches(text.lower(), list(known), n=1)), None)
    return f": did you mean {close}?" if close else "."


def _start(point: EntryPoint, option: str | None) -> Any:
    try:
        create = point.load()
        return create(option) if option else create()
    except ImportError as error:
        if isinstance(error, ImplementationError):
            raise
        raise ImplementationError(
            f"{point.name} is not installed ({error}): pip install {INSTALL.get(point.name, point.name)}."
        ) from error
    except TypeError as error:
        raise ImplementationError(f"{point.name} takes no option, got {point.name}:{option}.") from error


def _from_package(name: str) -> ModuleType:
    here = os.getcwd()
    if here not in sys.path:  # as python -m does, so that a project need not be installed to be checked
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise ImplementationError(f"{name} must be importable, got {told(error)}.") from error


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ImplementationError(f"{path} must be a Python file, but there is none.")
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    if getattr(sys.modules.get(path.stem), "__file__", str(path)) == str(path):  # never in the place of another one
        sys.modules[path.stem] = module
    sys.path.insert(0, str(path.parent.resolve()))  # the file's own neighbours
    try:  # from the source, not from a bytecode file that may be older than a quick edit
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except Exception as error:
        raise ImplementationError(f"{path} must be importable, got {told(error)}.") from error
    return module
