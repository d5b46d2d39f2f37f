"""Runs the code blocks of a page as a reader would: files are written, commands are run, outputs are compared.

A block whose first line is a comment with a path (``# mine.py``, ``// conv2d.cpp``) is written to that file.  A block
``sh`` is run line by line, in a clone or wherever ``cd`` leads; ``# exit 1`` behind a command is the code with which it
must end.  A block ``text`` that follows holds lines of its output, in their order; ``...`` stands for anything.  Other
blocks ``python`` are run.

These, and a line that is ``refconv`` and its words, nothing for a shell, run in a fork of this process, which has
imported everything already; what costs too much runs on less, as ``SMALLER`` says.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from refconv.cli import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RUN = [DOCS / name for name in ("index.md", "concepts.md", "reports.md", "worked-example.md")]
RUN += [ROOT / "README.md", *sorted((DOCS / "tutorials").glob("*.md"))]
FENCE = re.compile(r"^```([\w-]*)[^\n]*\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"^(?:#|//|;|%) ([\w./-]+\.\w+)$")
NOT_HERE = (
    "python3 -m venv",
    ". ",
    "source ",
    "python3 -m pip install",
    "pip install",
    "python3 -m tox",
)
SMALLER = (  # (in a command of a page, what is run instead): the words are parsed all the same, and judge less
    (
        r"--count \d+",
        "--count 100",
    ),  # thousands of convolutions; tests/test_accumulate.py asks for the published hashes
)
PLAIN = re.compile(r"refconv [^|&;<>$`()]*")


@dataclass(frozen=True)
class Block:
    language: str
    body: str
    line: int

    @property
    def file(self) -> str:
        found = NAMED.match(self.body.partition("\n")[0])
        return found.group(1) if found else ""


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [Block(found[1], found[2], text[: found.start()].count("\n") + 1) for found in FENCE.finditer(text)]


CLONE = ("vectors", "docs", "tests", "pyproject.toml")  # but not refconv, to be found where it is installed
WALK = re.compile(r"(?:git clone \S+ refconv(?: && )?|mkdir (?P<new>\S+) && )?(?:cd (?P<to>\S+))?(?: +#.*)?")


def run_page(page: Path, folder: Path) -> None:
    """Run all blocks of a page in a clone, or from beside it if the page says how to get one."""
    environment, output = tools(folder), ""
    clone = folder / "refconv"
    clone.mkdir()
    for name in CLONE:
        (clone / name).symlink_to(ROOT / name)
    if "git clone" not in page.read_text("utf-8"):
        folder = clone
    for block in blocks_of(page):
        where = f"{page.name}, line {block.line}"
        if block.file:
            target = folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.body, "utf-8")
        elif block.language == "sh":
            output = ""
            for line in commands(block.body):
                if walk := WALK.fullmatch(line):
                    folder = walked(folder, **walk.groupdict())
                else:
                    output += run(line, folder, environment, where)
        elif block.language == "python":
            code, output = run_fork(partial(run_script, block.body), folder, environment)
            assert code == 0, f"{where}\n{output}"
        elif block.language == "text" and output:
            compare(block.body, output, where)
            output = ""


def walked(folder: Path, new: str | None, to: str | None) -> Path:
    """Return where a reader stands after ``git clone``, ``mkdir NEW``, or ``cd TO``."""
    if new:
        (folder / new).mkdir()
    folder = folder / (to or ".")
    assert folder.is_dir(), f"there is no folder {folder}"
    return folder


def commands(body: str) -> list[str]:
    joined = re.sub(r"^python3 -m pip install \S+ && (?=python3 -m refconv)", "", body.replace("\\\n", " "), flags=re.M)
    return [line for line in joined.splitlines() if line.strip() and not line.startswith(("#", *NOT_HERE))]


def run(line: str, folder: Path, environment: dict[str, str], where: str) -> str:
    wanted = re.search(r"# exit (\d+)", line)
    for shown, instead in SMALLER:
        line = re.sub(shown, instead, line)
    if PLAIN.fullmatch(line):
        code, output = run_fork(partial(run_command, shlex.split(line, comments=True)), folder, environment)
    else:
        command = ["bash", "-o", "pipefail", "-c", line]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        code, output = done.returncode, done.stdout + done.stderr
    assert code == (int(wanted[1]) if wanted else 0), f"{where}: {line}\nends with {code}\n{output}"
    return output


def run_fork(action: Callable[[], object], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Do something in a fork, and return its exit code and what it printed."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the threads of xdist do nothing in the child
            process = os.fork()
        if process == 0:
            code = 70
            try:
                signal.alarm(300)
                move(folder, environment, file.fileno())
                action()
                code = 0
            except SystemExit as end:
                code = end.code or 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        file.seek(0)
        return code, file.read()


def move(folder: Path, environment: dict[str, str], output: int) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    warnings.resetwarnings()


def run_command(words: list[str]) -> None:
    sys.argv = words
    main()


def run_script(body: str) -> None:
    warnings.simplefilter("error")
    exec(body, {"__name__": "__main__"})


def compare(shown: str, output: str, where: str) -> None:
    """Find the lines that a page shows in an output, one after the other; a line may end in dots."""
    lines, at = [line.rstrip() for line in output.splitlines()], 0
    for line in filter(str.strip, shown.splitlines()):
        if line.strip() == "...":
            continue
        begin = line.rstrip().removesuffix("...").rstrip() if line.rstrip().endswith("...") else None
        fits = [
            i for i in range(at, len(lines)) if (lines[i].startswith(begin) if begin else lines[i] == line.rstrip())
        ]
        assert fits, f"{where}: no line of the output reads\n{line}\n--- but\n{output}"
        at = fits[0] + 1


def tools(folder: Path) -> dict[str, str]:
    """Return an environment in which refconv, pytest, python3 and c++ are commands of this Python and this machine."""
    bin_folder = folder / ".bin"
    bin_folder.mkdir()
    scripts = {
        "refconv": "-P -m refconv",
        "pytest": "-P -m pytest",
        "python3": "",
    }  # -P: as a command, not from this folder
    for name, options in scripts.items():
        write_script(bin_folder / name, f'exec "{sys.executable}" {options} "$@"')
    if shutil.which("c++") is None:  # the C compiler takes what is both
        write_script(bin_folder / "c++", 'exec cc -x c "${@/-std=c++17/-std=c99}"')
    return os.environ | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100", "NO_COLOR": "1"}


def write_script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/bash\n{line}\n", "utf-8")
    path.chmod(0o755)
