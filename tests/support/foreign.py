"""What tests of foreign implementations share: examples, compilers, and a look at what is left behind."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from refconv.implementations.abi import include_dir

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
CORE = Path(__file__).parents[2] / "vectors" / "core"
HARNESS_ZOO = Path(__file__).with_name("harness_zoo.py")
LIBRARY_ZOO = Path(__file__).with_name("library_zoo.c")

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def compiled(source, target, *options):
    """Compile a C file; a warning is an error."""
    strict = ["-std=c99", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{include_dir()}"]
    subprocess.run(["cc", *strict, *options, str(source), "-o", str(target)], check=True)
    return target


def library(source, target, *options):
    """Compile a shared library."""
    return compiled(source, target, "-shared", "-fPIC", *options)


def alive(pid):
    """Tell whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
