"""Measure the hunt: how fast it finds each defect model, and how small what it finds is.

    python scripts/hunt_power.py [SLUG ...] [--triggered] [--part 2/3] [--seconds 20]

Time limits count the time of the processor, so that a busy machine makes no difference.

"smallest" is the size of the smallest failing problem among some thousand tiny ones, which are tried in order, or of
the example of a model that waits for a trigger; the size counts the elements of x, weight and y.  Exits with 1 if a
model is missed, or shrunk to more than twice that.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from diagnosis_power import part_of
from smallest import smallest_known, tiny_problems

from refconv import ConvProblem
from refconv.diagnosis import all_defects, hunt
from refconv.diagnosis.defects import Triggered, every_defect, triggered_defects
from refconv.diagnosis.hunt import Attempt, Catch


def use_processor_time() -> None:
    """Let the hunt's deadline count the time of the processor."""
    clock = SimpleNamespace(monotonic=time.process_time)
    for name in ("hunt", "search"):
        vars(importlib.import_module(f"refconv.diagnosis.hunt.{name}"))["time"] = clock


def smallest_of(slug: str, caught: Catch, problems: list[ConvProblem]) -> int:
    """Return the size of the smallest problem known to fail; no larger ones than the caught are tried."""
    attempt, defect = caught.attempt, every_defect()[slug]
    if issubclass(defect, Triggered):
        return min(attempt.size, Attempt(ConvProblem.from_descriptor(defect.example)).size)
    smaller = [problem for problem in problems if Attempt(problem).size < attempt.size]
    return smallest_known(defect, smaller, defect.operations, [(attempt.bias, attempt.again)]) or attempt.size


def main() -> int:
    """Print one line for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slugs", nargs="*", metavar="SLUG")
    parser.add_argument("--triggered", action="store_true", help="the models that wait for a trigger")
    parser.add_argument("--part", type=part_of, default=slice(None), metavar="K/N", help="only every N-th model")
    parser.add_argument("--seconds", type=float, default=20)
    chosen = parser.parse_args()
    use_processor_time()
    problems, failed, slowest = tiny_problems(), [], 0.0
    print(f"{'model':42} {'s':>5} {'size':>5} {'smallest':>8}  problem")
    slugs = chosen.slugs or list(triggered_defects() if chosen.triggered else all_defects())
    for slug in slugs[chosen.part]:
        defect = every_defect()[slug]
        dtype = defect.dtype if issubclass(defect, Triggered) else "float32"
        # the models add up in the format of their inputs, which for narrow formats is no bug of theirs
        found = hunt(defect, chosen.seconds, dtypes=[dtype], judged_by=f"standard:{dtype}")
        caught, slowest = found.caught, max(slowest, found.seconds)
        smallest = smallest_of(slug, caught, problems) if caught else None
        if caught is None or caught.attempt.size > 2 * (smallest or 0):
            failed.append(slug)
        size = caught.attempt.size if caught else "-"
        where = f"{caught.operation} {caught.attempt.problem}" if caught else "MISSED"
        print(f"{slug:42} {found.seconds:5.1f} {size!s:>5} {smallest!s:>8}  {where}", flush=True)
    print(f"{len(failed)} missed or too large: {', '.join(failed) or 'none'}; the slowest took {slowest:.1f} s.")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
