"""Measure the judge: how much of the intervals honest code uses, and which errors which rule detects.

    python scripts/judge_power.py [--runs 3] [--json FILE]

Prints two tables.  (a) What share of the interval PyTorch, NumPy and SciPy use, and how many were outside.
(b) The share of runs in which an error is noticed: by our classes beside rules that others publish, on the same
data in the same run; and the false alarms of each rule on honest convolutions.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
from judge_power_rules import RULES, Sample
from judge_power_subjects import FAULTS, LENGTHS, faulty, honest, sample, small_sample
from rich.console import Console
from rich.table import Table

from refconv.judge import judge_tensor

NOTES = """\
A worst-case bound must go blind: one lost product of n weighs S/n, the bound allows about n*u*S, so float32 hides it
from n = 4096 on, and cancellation earlier. The statistical companion sees further, but is a model; the exact fill sees
every structural fault (a lost product, a wrong weight) at every n, because its integers must be equal.
'ours' is the exact fill, the interval and the companion together; faults of arithmetic that leave integers exact (bf16
inputs on small integers, float16 sums that fit) can only be seen by the interval and the companion.
Flush-to-zero is measured on data whose results are subnormal; rules with an absolute tolerance cannot see it at all."""


def shares(runs: int) -> list[dict[str, object]]:
    """Measure table (a)."""
    rows: dict[tuple[str, int], dict[str, object]] = {}
    for n in LENGTHS:
        for seed in range(runs):
            for kind in ("float32", "float64", "bfloat16", "float16"):
                one = sample(n, seed, kind, "real")
                lo, hi = one.interval[:2]
                for name, got in honest(one):
                    verdict = judge_tensor(got, one.truth, lo, hi)
                    row = rows.setdefault((name, n), {"subject": name, "n": n, "worst": 0.0, "rms": 0.0, "outside": 0})
                    row["worst"] = max(float(row["worst"]), verdict.interval_use)  # type: ignore[arg-type]
                    row["rms"] = max(float(row["rms"]), verdict.interval_rms)  # type: ignore[arg-type]
                    row["outside"] = int(row["outside"]) + verdict.wrong  # type: ignore[call-overload]
    return list(rows.values())


def detections(runs: int) -> list[dict[str, object]]:
    """Measure the rows of table (b): for each fault and n the share of runs in which each rule rejects."""
    rows = []
    for fault in FAULTS:
        for n in LENGTHS:
            found: dict[str, list[bool]] = {name: [] for name in (*RULES, "exact", "ours")}
            for seed in range(runs):
                real = faulty(sample(n, seed, fault.kind, fault.fill), fault)
                verdicts = {name: rule(real) for name, rule in RULES.items()}
                exact = faulty(sample(n, seed, fault.kind, "exact"), fault)
                verdicts["exact"] = not np.array_equal(exact.got, exact.truth)
                verdicts["ours"] = verdicts["exact"] or verdicts["interval"] or verdicts["statistics"]
                for name, seen in verdicts.items():
                    found[name].append(seen)
            rows.append({"fault": fault.name, "n": n, "runs": runs} | {k: float(np.mean(v)) for k, v in found.items()})
    return rows


def false_alarms(count: int) -> dict[str, int]:
    """Count the honest convolutions that each rule rejects; they are counted until there are enough."""
    alarms = dict.fromkeys((*RULES, "exact", "ours"), 0)
    done, seed = 0, 0
    while done < count:
        for one in (small_sample(seed), small_sample(seed, fill="exact")):
            for _, got in honest(one):
                tried = Sample(**{**vars(one), "got": got})
                seen = {name: rule(tried) for name, rule in RULES.items()}
                seen["exact"] = one.fill == "exact" and not np.array_equal(got, one.truth)
                seen["ours"] = seen["exact"] or seen["interval"] or seen["statistics"]
                alarms = {name: alarms[name] + bool(seen[name]) for name in alarms}
                done += 1
        seed += 1
    return alarms | {"convolutions": done}


def print_shares(rows: list[dict[str, object]], console: Console) -> None:
    """Print table (a)."""
    table = Table(title="(a) Share of the interval that honest code uses: largest (rms)")
    table.add_column("subject")
    for n in LENGTHS:
        table.add_column(f"n = {n}", justify="right")
    table.add_column("outside", justify="right")
    for subject in dict.fromkeys(str(row["subject"]) for row in rows):
        own = {row["n"]: row for row in rows if row["subject"] == subject}
        cells = [f"{100 * own[n]['worst']:.3g} % ({100 * own[n]['rms']:.2g})" if n in own else "-" for n in LENGTHS]  # type: ignore[operator]
        table.add_row(subject, *cells, str(sum(int(row["outside"]) for row in own.values())))  # type: ignore[call-overload]
    console.print(table)


def print_detections(rows: list[dict[str, object]], alarms: dict[str, int], console: Console) -> None:
    """Print table (b)."""
    names = ["ours", "exact", *RULES]
    table = Table(title="(b) Runs in which an error is noticed, in percent")
    for heading in ("error", "n", *names):
        table.add_column(heading, justify="left" if heading == "error" else "right")
    for row in rows:
        cells = [f"{100 * float(row[name]):.0f}" for name in names]  # type: ignore[arg-type]
        table.add_row(str(row["fault"]), str(row["n"]), *cells, end_section=row["n"] == LENGTHS[-1])
    table.add_row(f"false alarms of {alarms['convolutions']}", "", *(str(alarms[name]) for name in names))
    console.print(table)
    console.print(NOTES)


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4, help="tensors for each cell")
    parser.add_argument("--honest", type=int, default=2000, help="honest convolutions for the false alarms")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args()
    console = Console(width=200, soft_wrap=True, highlight=False)
    if importlib.util.find_spec("torch") is None:
        console.print("PyTorch is not installed, so its rows are missing: pip install 'refconv[torch]'")
    used, found, alarms = shares(options.runs), detections(options.runs), false_alarms(options.honest)
    print_shares(used, console)
    print_detections(found, alarms, console)
    if options.json:
        options.json.write_text(json.dumps({"shares": used, "detections": found, "falseAlarms": alarms}, indent=1))
    outside = sum(int(row["outside"]) for row in used)  # type: ignore[call-overload]
    return 1 if alarms["ours"] or outside else 0


if __name__ == "__main__":
    sys.exit(main())
