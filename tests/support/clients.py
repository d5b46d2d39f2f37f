"""What tests of clients share."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
EVERY_FORMAT = Path(__file__).with_name("every_format.c")
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-I."]


def run(folder, *words, code=0):
    """Run a program in a folder, and return what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [*map(str, words)], cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == code, f"{words}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def planted(source, target, right, wrong):
    """Write a program with one fault in it."""
    text = source.read_text("utf-8")
    assert text.count(right) == 1, f"{source.name} must hold {right!r} once"
    target.write_text(text.replace(right, wrong), "utf-8")
    return target
