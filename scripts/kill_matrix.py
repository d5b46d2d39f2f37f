"""Measure which faulty convolutions the cases of a suite catch, and by how many cases each is caught.

    python scripts/kill_matrix.py vectors/core --jobs 2 --out docs/kill_matrix.json
    python scripts/kill_matrix.py vectors/core --read docs/kill_matrix.json --promises refconv/catalogue/promises.json

Defect models are held against the golden values; other faults, which may lie in memory or in what is kept
between calls, run through the whole of ``refconv check``.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from refconv import check, load_suite
from refconv.diagnosis.defects import all_defects, every_defect, triggered_defects
from refconv.diagnosis.faults import all_faults
from refconv.diagnosis.kills import catches
from refconv.suite import FLAGS, Group, Suite
from refconv.suite.embedded import smoke_folder

MANY = 3  # of the cases without a flag, at most one in so many may catch what the flag promises


class Kept(Suite):
    """A suite that reads every group once."""

    def group(self, name: str) -> Group:
        """Load a group, or return it."""
        kept = vars(self).setdefault("kept", {})
        if name not in kept:
            kept[name] = super().group(name)
        return kept[name]


@functools.cache
def suite_of(folder: str) -> Suite:
    """Open a suite once in each worker."""
    suite = load_suite(folder)
    suite.__class__ = Kept
    return suite


def caught(work: tuple[str, str]) -> tuple[str, list[str]]:
    """Return the ids of the cases that catch one model; runs in a worker."""
    folder, slug = work
    suite = suite_of(folder)
    if slug in all_faults():
        report = check(all_faults()[slug](), suite)
        return slug, sorted({outcome.case_id for outcome in report.failures})
    return slug, sorted(case.id for case in suite if catches(case, every_defect()[slug]))


def measure(folder: str, jobs: int, quick: bool) -> dict[str, list[str]]:
    """Measure all models, or those alone that golden values tell."""
    work = [(folder, slug) for slug in (*every_defect(), *(() if quick else all_faults()))]
    with ProcessPoolExecutor(jobs) as pool:
        done = track(pool.map(caught, work), total=len(work), console=Console(stderr=True))
        return {slug: ids for slug, ids in done}


def promises(matrix: dict[str, list[str]], folder: str) -> dict[str, list[str]]:
    """Return for each flag the defect models that all of its exact cases catch, and few others do.

    Only models that are named by ``diagnose`` are promised, and only cases that hold all of their operations.
    """
    cases = [case for case in load_suite(folder) if case.result == "valid" and not case.quantization
             and len(case.expected) == 4 and all(e.judge.rule == "exact" for e in case.expected.values())]  # fmt: skip
    found: dict[str, list[str]] = {}
    geometric = {flag for flag, note in FLAGS.items() if note.bug_type in ("INDEXING", "LAYOUT")}
    for flag in sorted(geometric & {flag for case in cases for flag in case.flags}):
        having = {case.id for case in cases if flag in case.flags}
        others = {case.id for case in cases} - having
        kept = [slug for slug in all_defects() if having <= set(matrix[slug])
                and MANY * len(others & set(matrix[slug])) <= len(others)]  # fmt: skip
        if kept and others:
            found[flag] = kept
    return found


def report(matrix: dict[str, list[str]], folder: str) -> int:
    """Print the table, and return how many models are caught by fewer than two cases."""
    smoke = set(load_suite(smoke_folder()).ids)
    table = Table("models", "number", "caught", "by two cases or more", "by smoke", "not caught")
    named, memory = list(all_defects()), list(all_faults())
    groups = {"named by diagnose": named, "with a trigger": list(triggered_defects()), "memory, numerics": memory}
    for name, every in groups.items():
        slugs = [slug for slug in every if slug in matrix]
        counts = [len(matrix[slug]) for slug in slugs]
        missed = [slug for slug in slugs if not matrix[slug]]
        by_smoke = sum(bool(smoke & set(matrix[slug])) for slug in slugs)
        numbers = len(slugs), sum(map(bool, counts)), sum(count > 1 for count in counts), by_smoke
        table.add_row(name, *map(str, numbers), ", ".join(missed) or "-")
    console = Console(width=160)
    console.print(f"{folder}: {len(load_suite(folder))} cases")
    console.print(table)
    rare = [slug for slug, ids in matrix.items() if len(ids) == 1]
    console.print(f"caught once: {', '.join(rare) or 'none'}")
    return sum(len(ids) < 2 for ids in matrix.values())


def page(matrix: dict[str, list[str]], folder: str) -> str:
    """Write the page of the documentation: every model, what it is, where it was seen, what catches it."""
    smoke = set(load_suite(smoke_folder()).ids)
    whole = all(slug in matrix for slug in all_faults())
    quick = "" if whole else " --quick"
    kinds = (
        "Faults of memory, state and numerics went through the whole of `refconv check`."
        if whole
        else f"By golden values alone: the {len(all_faults())} faults of memory, state and numerics, and models that "
        "need a second call, are left to `refconv check`, and to this script without `--quick`."
    )
    lines = ["# Which faulty convolutions do the vectors catch?", "",
             f"Measured by `python scripts/kill_matrix.py {folder} --jobs 2{quick} --page docs/kills.md` over the "
             f"{len(load_suite(folder))} cases.",
             "A model with a trigger is wrong only where that holds.  " + kinds, "",
             "| model | what is wrong | seen | cases | in smoke | the first |",
             "|---|---|---|---:|---:|---|"]  # fmt: skip
    for slug, ids in matrix.items():
        model = every_defect().get(slug) or all_faults()[slug]
        source = f"[thread]({model.source})" if model.source.startswith("http") else model.source
        words = model.summary().replace("|", "\\|")
        first = f"`{ids[0]}`" if ids else "-"
        lines.append(f"| `{slug}` | {words} | {source} | {len(ids)} | {len(smoke & set(ids))} | {first} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite")
    parser.add_argument("--quick", action="store_true", help="only the models that golden values tell")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--read", type=Path)
    parser.add_argument("--promises", type=Path)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    matrix = (
        json.loads(options.read.read_text()) if options.read else measure(options.suite, options.jobs, options.quick)
    )
    for path, content in ((options.out, matrix), (options.promises, promises(matrix, options.suite))):
        if path:
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="ascii")
    if options.page:
        options.page.write_text(page(matrix, options.suite), encoding="utf-8")
    return int(report(matrix, options.suite) > 0)


if __name__ == "__main__":
    sys.exit(main())
