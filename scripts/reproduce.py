"""Prove that the golden bytes depend on no version, BLAS kernel, thread, hash seed, locale, time zone or folder.

    python scripts/reproduce.py --pythons python3.11,python3.12,python3.13
    python scripts/reproduce.py --quick             # the embedded suite alone
    python scripts/reproduce.py --core              # the core suite alone
    python scripts/reproduce.py --only 4,5          # these of the environments, which are counted from 0

One environment for each Python and each pairing of the oldest and the newest NumPy and SciPy; all of them get the
same wheel.  In each the embedded suite is made under every kernel of OpenBLAS with one thread and with two, and the
core suite once, under a kernel that changes from environment to environment.  Hash seed, locale, time zone and
folder change from run to run.  Every run must give the SHA256SUMS that are committed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
COMMITTED = {"smoke": ROOT / "refconv/vectors/smoke", "core": ROOT / "vectors/core"}
PYTHONS = ("python3.11", "python3.12", "python3.13")
FLOORS = ("floor", "latest")
KERNELS = ("Haswell", "Zen", "Sandybridge", "Nehalem", "Prescott")  # of OPENBLAS_CORETYPE
SURROUNDINGS = (  # hash seed, locale, time zone
    ("0", "C", "UTC"),
    ("1", "C.UTF-8", "Pacific/Chatham"),
    ("31337", "tr_TR.UTF-8", "America/St_Johns"),
    ("4294967295", "de_DE.UTF-8", "Asia/Kathmandu"),
)
LIBRARIES = "import numpy, scipy; print(numpy.__version__, scipy.__version__)"


@dataclass(frozen=True)
class Run:
    """One generation: what it makes, and in which surroundings."""

    tier: str
    kernel: str
    threads: int
    hash_seed: str
    locale: str
    zone: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the process, for it alone."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OPENBLAS", "OMP"))},
            "OPENBLAS_CORETYPE": self.kernel, "OPENBLAS_NUM_THREADS": str(self.threads),
            "PYTHONHASHSEED": self.hash_seed, "LC_ALL": self.locale, "TZ": self.zone,
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.tier}, {self.kernel}, {self.threads} thread(s), {self.locale}, {self.zone}"


def runs(number: int, tiers: Collection[str]) -> Iterator[Run]:
    """Yield the runs of one environment; `number` turns what is not crossed in full."""
    if "smoke" in tiers:
        for turn, (kernel, threads) in enumerate(itertools.product(KERNELS, (1, 2))):
            yield Run("smoke", kernel, threads, *SURROUNDINGS[(number + turn) % len(SURROUNDINGS)])
    if "core" in tiers:
        kernel = KERNELS[number % len(KERNELS)]
        yield Run("core", kernel, 1 + number % 2, *SURROUNDINGS[number % len(SURROUNDINGS)])


def requirements(python: str, numpy: str, scipy: str) -> list[str]:
    """Pin the oldest releases that are supported; what is not pinned is the newest that goes with the other."""
    name = "floor-py313.txt" if python.endswith("3.13") else "floor.txt"
    pins = (ROOT / "constraints" / name).read_text("utf-8").split()
    wanted = {"numpy": numpy, "scipy": scipy}
    return [pin for pin in pins if wanted.get(pin.partition("==")[0]) == "floor"]


def installed(folder: Path, python: str, wheel: Path, numpy: str, scipy: str) -> Path:
    """Make an environment and return its interpreter."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    interpreter = folder / "bin" / "python"
    pins = requirements(python, numpy, scipy)
    subprocess.run([interpreter, "-m", "pip", "install", "--quiet", "--no-compile", wheel, *pins], check=True)
    return interpreter


def sums(interpreter: Path, run: Run) -> str:
    """Generate a tier in a new folder and return its SHA256SUMS, or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        command = [interpreter, "-m", "refconv", "generate", "--tier", run.tier, "--out", "made", "--jobs", "1"]
        done = subprocess.run(command, cwd=folder, env=run.environment, capture_output=True, text=True, check=False)
        made = Path(folder, "made", "SHA256SUMS")
        return made.read_text("ascii") if done.returncode == 0 else done.stderr.strip()[-300:] or "no output"


def main() -> int:
    """Run everything, print a line for each environment, and exit with 1 if any byte differs."""
    arguments = _arguments()
    console, failures = Console(), 0
    committed = {tier: (folder / "SHA256SUMS").read_text("ascii") for tier, folder in COMMITTED.items()}
    table = Table("python", "numpy", "scipy", "runs", "equal", title="The same bytes everywhere?")
    with tempfile.TemporaryDirectory() as scratch:
        wheel = _wheel(Path(scratch))
        places = itertools.product(arguments.pythons.split(","), FLOORS, FLOORS)
        wanted = set(map(int, arguments.only.split(","))) if arguments.only else None
        for number, (python, numpy, scipy) in enumerate(places):
            if wanted is not None and number not in wanted:
                continue
            folder = Path(scratch, f"{number}")
            interpreter = installed(folder, python, wheel, numpy, scipy)
            versions = subprocess.run([interpreter, "-c", LIBRARIES], capture_output=True, text=True, check=True)
            todo = list(runs(number, arguments.tiers))
            wrong = [run for run in todo if _differs(console, interpreter, run, committed[run.tier])]
            table.add_row(python, *versions.stdout.split(), str(len(todo)), str(len(todo) - len(wrong)))
            failures += len(wrong)
            shutil.rmtree(folder)
    console.print(table)
    return 1 if failures else 0


def _differs(console: Console, interpreter: Path, run: Run, expected: str) -> bool:
    got = sums(interpreter, run)
    same = got == expected
    console.print(f"{'equal  ' if same else 'DIFFERS'} {run}" + ("" if same else f": {got.splitlines()[-1]}"))
    return not same


def _runs(python: str) -> bool:
    """Tell whether there is such an interpreter; a name on the path may be a stand-in that starts none."""
    found = shutil.which(python)
    return found is not None and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0


def _wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pythons", default=",".join(filter(_runs, PYTHONS)), help="names or paths, comma separated")
    parser.add_argument("--only", help="numbers of environments, comma separated; all unless told")
    parser.add_argument(
        "--quick", dest="tiers", action="store_const", const=("smoke",), help="the embedded suite alone"
    )
    parser.add_argument("--core", dest="tiers", action="store_const", const=("core",), help="the core suite alone")
    parser.set_defaults(tiers=tuple(COMMITTED))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
