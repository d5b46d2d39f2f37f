"""Change the code at one place after another, and see whether the tests notice: mutation testing, by hand.

Usage::

    python scripts/mutants.py                                   # every mutant of every room: an hour or two
    python scripts/mutants.py --rooms judge,problem --sample 300 --seed 1 --out mutants.jsonl

The changes are those of mutmut.  A process that has imported the package and collected the tests of a room is forked
once for each mutant; in the fork the code object of one function is exchanged, and those tests run that call this
function, the quickest first, until one fails.  What survives that, and what is changed outside of functions, is tried
again in a process that imports the changed module anew.  A sample is drawn at random, so its share of survivors
estimates that of all mutants; the interval is Wilson's, at 95 %.

Survivors that change nothing that anybody could see stand in docs/mutants.toml with the reason.  Ends with 1 if 5 % or
more of a room survive, or one of the survivors is not explained there.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from mutant_rooms import ROOT, parts
from mutant_sources import changes_of, mutant_of
from mutant_trials import ends_of, in_a_process
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest
from survivors import Explained

ROOMS = "problem,reference,exact,judge,codec"
LIVING = ("survived", "no test")


def try_room(name, wanted, out, explained):
    """Try the mutants of one room, write a line for each, and return how many came to which end."""
    found = list(parts(name))
    changes = [(number, change) for number, (files, _) in enumerate(found) for path in files
               for change in changes_of(path)]  # fmt: skip
    sample = random.Random(f"{wanted.seed}/{name}").sample(changes, min(wanted.sample or len(changes), len(changes)))
    ends = Counter()
    for number, (_, tests) in enumerate(found):
        mutants = [mutant_of(change, ROOT) for part, change in sample if part == number]
        ends += try_part(name, tests, [mutant for mutant in mutants if mutant], out, explained)
    return len(changes), ends


def try_part(name, tests, mutants, out, explained):
    """Try some mutants with some tests."""
    ends = Counter()
    for mutant, end, tests_run in ends_of(mutants, tests) if mutants else ():
        if end in LIVING and (reason := explained.reason(mutant)):
            end = "explained" if reason else end
        ends[end] += 1
        record = {"room": name, "file": mutant.file, "line": mutant.line, "function": mutant.function, "end": end,
                  "was": mutant.was, "is": mutant.becomes, "tests": tests_run}  # fmt: skip
        out.write(json.dumps(record) + "\n")
        out.flush()
    return ends


def main():
    """Try what is asked for, print a table, and return the exit status."""
    wanted = arguments()
    table = Table("room", "changes", "tried", "killed", "too slow", "survive", "of them explained", "share", "interval")
    explained, bad = Explained(ROOT / "docs" / "mutants.toml"), False
    with open(wanted.out, "w", encoding="utf-8") as out:
        for name in wanted.rooms.split(","):
            # Each room in a process of its own, for what is imported is never given back.
            total, ends = in_a_process(lambda name=name: try_room(name, wanted, out, explained))
            tried, alive = sum(ends.values()), sum(ends[end] for end in (*LIVING, "explained"))
            interval = binomtest(alive, tried).proportion_ci(method="wilson")
            bad = bad or alive >= 0.05 * tried or ends["explained"] < alive
            counts = (total, tried, ends["killed"], ends["too slow"], alive, ends["explained"])
            table.add_row(name, *map(str, counts), f"{alive / tried:.1%}", f"{interval.low:.1%}...{interval.high:.1%}")
    Console(width=130).print(table, f"seed {wanted.seed}; every mutant is in {wanted.out}", sep="\n")
    return 1 if bad else 0


def arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", default=ROOMS, help="comma separated")
    parser.add_argument("--sample", type=int, default=0, help="so many of each room, at random; all unless told")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default=str(Path(tempfile.gettempdir()) / "mutants.jsonl"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
