"""Measure which faulty convolutions the cases catch, choose small selections that catch all, and freeze both.

    python scripts/select_core.py vectors/core                        # print, and fail if what is frozen does not hold
    python scripts/select_core.py vectors/core --measure --jobs 2     # the cases that the frozen matrix lacks
    python scripts/select_core.py vectors/core --anew --jobs 2        # all of them
    python scripts/select_core.py vectors/core --check --jobs 2       # faults, through the whole of refconv check
    python scripts/select_core.py vectors/core --write                # promises, the selection for smoke, docs/kills.md

Defect models are held against golden values.  Faults of memory, state and numerics, and models that no single
call shows, run through ``refconv check``: over smoke, then group by group until five cases have caught them.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from kill_page import page, trigger_page
from rich.console import Console
from rich.progress import track
from rich.table import Table

from refconv import check, load_suite
from refconv.catalogue import cases
from refconv.catalogue.coverage import pairs_of
from refconv.catalogue.kills import ENOUGH, FILE, Kills, frozen_kills
from refconv.catalogue.selection import Costs, cover
from refconv.catalogue.tiers import ANCHORS, SMOKE
from refconv.diagnosis.defects import all_defects, every_defect, triggered_defects
from refconv.diagnosis.faults import all_faults
from refconv.diagnosis.kills import catches
from refconv.suite import FLAGS, Suite

PACKAGE = Path(__file__).parents[1] / "refconv" / "catalogue"
FEW = 0.37  # of the cases without a flag at most so many may catch what the flag promises
GROUP = 5400  # bytes of a group before its first case: notes, header, lines of the manifest; about
ROOM = 256 * 1024 - 9_000  # for smoke: less what the manifest and the provenance take


@functools.cache
def suite_of(folder: str) -> Suite:
    """Open a suite once in each worker."""
    return load_suite(folder)


def by_values(work: tuple[str, str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """Return which models the cases of a group catch; runs in a worker."""
    folder, group, ids = work
    wanted = [case for case in suite_of(folder).group(group).cases if case.id in ids]
    return [(slug, case.id) for slug, model in every_defect().items() for case in wanted if catches(case, model)]


def by_check(work: tuple[str, str]) -> tuple[str, list[str]]:
    """Return cases on which ``refconv check`` finds a faulty convolution; runs in a worker."""
    folder, slug = work
    suite = suite_of(folder)
    known = all_faults() | every_defect()
    groups = list(dict.fromkeys(case_id.partition("/")[0] for case_id in suite.ids))
    random.Random(slug).shuffle(groups)  # so that not all faults rest on the same cases
    found: list[str] = []
    selections = [list(SMOKE), *([f"{group}/*"] for group in groups)]
    if slug in every_defect():  # which compute in the format of their input, and know no narrow ones
        selections = [list(filter(_is_float32, SMOKE)), *([f"{group}/*"] for group in filter(_is_float32, groups))]
    for select in selections:
        report = check(known[slug](), suite, select)
        found += [case_id for case_id in dict.fromkeys(o.case_id for o in report.failures) if case_id not in found]
        if len(found) >= ENOUGH:
            break
    return slug, found


def _is_float32(name: str) -> bool:
    return name.partition("/")[0].endswith("-float32-exact")


def measured(folder: str, jobs: int, old: Kills) -> Kills:
    """Measure the cases and models that the frozen matrix lacks; published cases never change."""
    suite = load_suite(folder)
    known = set(old.cases) if set(old.by_values) == set(every_defect()) else set()
    fresh: dict[str, list[str]] = {}
    for case_id in suite.ids:
        if case_id not in known:
            fresh.setdefault(case_id.partition("/")[0], []).append(case_id)
    work = [(folder, group, tuple(ids)) for group, ids in fresh.items()]
    stay = set(suite.ids) & known
    caught = {slug: [i for i in old.by_values.get(slug, ()) if i in stay] for slug in every_defect()}
    for pairs in parallel(by_values, work, jobs):
        for slug, case_id in pairs:
            caught[slug].append(case_id)
    checked = {slug: [i for i in ids if i in set(suite.ids)] for slug, ids in old.by_check.items()}
    return Kills(suite.version, tuple(suite.ids), caught, checked)


def checked(folder: str, jobs: int, old: Kills) -> Kills:
    """Put all faults, and the models that values do not tell twice, through check."""
    slugs = [*(slug for slug, ids in old.by_values.items() if len(ids) < 2), *all_faults()]
    return replace(old, by_check=dict(parallel(by_check, [(folder, slug) for slug in slugs], jobs)))


def parallel(function, work, jobs):
    """Run a function over a list of work in processes, with a progress bar."""
    with ProcessPoolExecutor(jobs) as pool:
        yield from track(pool.map(function, work), total=len(work), console=Console(stderr=True))


def costs_of(folder: str) -> Costs:
    """Read what every case of a suite takes, in its index and in tensors."""
    sizes = {}
    for group in sorted(Path(folder).glob("*-*.json")):
        for case in json.loads(group.read_bytes())["cases"]:
            tensors = [item for item in case["inputs"].values()]
            tensors += [part for item in case["expected"].values() for part in item.values() if "nbytes" in part]
            sizes[case["id"]] = len(json.dumps(case, indent=1)) + sum(tensor["nbytes"] for tensor in tensors)
    return Costs({case_id: sizes[case_id] for case_id in load_suite(folder).ids}, GROUP)


def smoke_of(kills: Kills, costs: Costs) -> list[str]:
    """Choose smoke: what a first look needs, and the smallest set of cases that catches what fits."""
    anchors = [spec.id for spec in cases("core", ANCHORS)]
    return cover(kills.by_values, costs, 1, anchors, ROOM)


def minimum_of(kills: Kills, costs: Costs) -> dict[str, list[str]]:
    """Choose the smallest part of core for each of its purposes, each on top of those before."""
    exact = [spec for spec in cases("core") if not spec.row.invalid and not spec.row.policies]
    pairs: dict[str, list[str]] = {}
    for spec in exact:
        for pair in pairs_of(spec):
            pairs.setdefault(str(pair), []).append(spec.id)
    groups: dict[str, list[str]] = {}
    for case_id in costs.cases:
        groups.setdefault(case_id.partition("/")[0], []).append(case_id)
    twice = cover(kills.by_values, costs, 2)
    with_pairs = cover(pairs, costs, 1, twice)
    return {"every model twice": twice, "and every legal pair": with_pairs,
            "and every group once": cover(groups, costs, 1, with_pairs)}  # fmt: skip


def promises(matrix: dict[str, list[str]], folder: str) -> dict[str, list[str]]:
    """Return for each flag the defect models that all of its exact cases catch, and few others do.

    Only models that are named by ``diagnose`` are promised, and only cases that hold all of their operations.
    """
    full = [case for case in load_suite(folder) if case.result == "valid" and not case.quantization
            and len(case.expected) == 4 and all(e.judge.rule == "exact" for e in case.expected.values())]  # fmt: skip
    found: dict[str, list[str]] = {}
    geometric = {flag for flag, note in FLAGS.items() if note.bug_type in ("INDEXING", "LAYOUT")}
    for flag in sorted(geometric & {flag for case in full for flag in case.flags}):
        having = {case.id for case in full if flag in case.flags}
        others = {case.id for case in full} - having
        kept = [slug for slug in all_defects() if having <= set(matrix[slug])
                and len(others & set(matrix[slug])) <= FEW * len(others)]  # fmt: skip
        if kept and others:
            found[flag] = kept
    return found


def report(kills: Kills, smoke: list[str], minimum: dict[str, list[str]], costs: Costs) -> int:
    """Print the kill matrix and the selections; return how many models are caught by fewer than two cases."""
    console, every = Console(width=160), kills.all
    table = Table("models", "number", "caught", "by two cases or more", "by smoke", "not twice")
    kinds = {
        "named by diagnose": all_defects(),
        "with a trigger": triggered_defects(),
        "memory, numerics": all_faults(),
    }
    for name, models in kinds.items():
        ids = [every.get(slug, []) for slug in models]
        rare = [f"{slug} ({len(every.get(slug, []))})" for slug in models if len(every.get(slug, [])) < 2]
        numbers = (
            len(ids),
            sum(map(bool, ids)),
            sum(len(some) > 1 for some in ids),
            sum(bool({*smoke} & {*some}) for some in ids),
        )
        table.add_row(name, *map(str, numbers), ", ".join(rare) or "-")
    console.print(f"{len(kills.cases)} cases, vectors {kills.version}")
    console.print(table)
    for purpose, ids in minimum.items():
        console.print(f"{purpose}: {len(ids)} cases, {sum(map(costs.cases.__getitem__, ids)):,} bytes")
    console.print(
        f"core: {len(costs.cases)} cases, {sum(costs.cases.values()):,} bytes; docs/kills.md says what the rest is for"
    )
    return sum(len(every[slug]) < 2 for slug in every_defect())


def main() -> int:
    """Parse, measure, write, print; 1 if a model is caught by fewer than two cases, or what is frozen does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    kills = frozen_kills()
    if options.anew:
        kills = replace(kills, cases=(), by_values={})
    if options.measure or options.anew:
        kills = measured(options.suite, options.jobs, kills)
        (PACKAGE / FILE).write_text(kills.text(), encoding="ascii")
    if options.check:
        kills = checked(options.suite, options.jobs, kills)
        (PACKAGE / FILE).write_text(kills.text(), encoding="ascii")
    costs = costs_of(options.suite)
    smoke, minimum, flags = smoke_of(kills, costs), minimum_of(kills, costs), promises(kills.by_values, options.suite)
    if options.write:
        (PACKAGE / "promises.json").write_text(json.dumps(flags, indent=1) + "\n", encoding="ascii")
        (PACKAGE / "smoke.txt").write_text("".join(f"{case_id}\n" for case_id in smoke), encoding="ascii")
        docs = PACKAGE.parents[1] / "docs"
        (docs / "kills.md").write_text(page(kills, smoke, minimum, costs), encoding="utf-8")
        (docs / "triggers.md").write_text(trigger_page(), encoding="utf-8")
    rare = report(kills, smoke, minimum, costs)
    frozen = (PACKAGE / "smoke.txt").read_text().split() == smoke and json.loads(
        (PACKAGE / "promises.json").read_text()
    ) == flags
    if not frozen:
        print("smoke.txt or promises.json is not what the matrix implies: run with --write, then generate again.")
    return int(rare > 0 or not frozen or set(kills.cases) != set(costs.cases))


if __name__ == "__main__":
    sys.exit(main())
