"""What ``refconv list`` says about the catalogue as a whole: families, flags, coverage, kills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from rich.console import Console

from refconv.catalogue import cases
from refconv.catalogue.coverage import blocks, coverage
from refconv.catalogue.kills import frozen_kills
from refconv.catalogue.promises import promises
from refconv.catalogue.tiers import SMOKE, described_families
from refconv.diagnosis import all_defects
from refconv.diagnosis.defects import every_defect
from refconv.show import print_rows
from refconv.suite import FLAGS


def families(console: Console) -> None:
    """Print the families of core and axes: what each is for, in which formats and fills, how many cases."""
    counts: Counter[str] = Counter()
    formats: dict[str, dict[str, None]] = {}
    known = described_families()
    for spec in (*cases("core"), *cases("axes")):
        name = spec.group.removesuffix(f"-{spec.element}-{spec.fill}")
        counts[name] += 1
        formats.setdefault(name, {})[spec.element] = None
    rows = [(name, str(counts[name]), known[name], " ".join(formats[name])) for name in counts]
    print_rows(("family", "cases", "what it is for", "formats"), rows, console)
    console.print(f"{counts.total()} cases in {len(counts)} families of core and axes.")


def flags(console: Console) -> None:
    """Print the flags: what a case has, how many cases of core and axes have it, and the models that they all catch."""
    counts = Counter(flag for spec in (*cases("core"), *cases("axes")) for flag in spec.flags)
    rows = [
        (note.bug_type, flag, str(counts[flag]), note.description, " ".join(promises().get(flag, ())) or "-")
        for flag, note in FLAGS.items()
    ]
    print_rows(("kind", "flag", "cases", "what the case has", "every exact case catches"), rows, console)


def covered(console: Console) -> None:
    """Print the factors with their values, and count what core covers."""
    rows = []
    for block in blocks():
        for name in block.factors:
            values = dict.fromkeys(value for [(_, value)] in block.project((name,)))
            rows.append((name, " ".join(values)))
    print_rows(("factor", "values"), rows, console)
    specs = cases("core")
    for strength in (2, 3):
        console.print(f"core, {len(specs)} cases: {coverage(specs, strength)}.")
    console.print("The extended tier holds all triples; scripts/coverage.py counts them.")


def kills(console: Console) -> None:
    """Print how many faulty convolutions are caught, and for each its cases."""
    from refconv.diagnosis.faults import all_faults  # which needs most of the second that importing all commands takes

    frozen = frozen_kills()
    every, smoke = frozen.all, set(SMOKE)
    rows = [(slug, str(len(ids)), str(len(smoke & set(ids))), ids[0] if ids else "-") for slug, ids in every.items()]
    print_rows(("faulty convolution", "cases of core", "of smoke", "the first"), rows, console)
    for words, models in (("defect models", every_defect()), ("faults of memory, state and numerics", all_faults())):
        console.print(f"{words}: {', '.join(_counts([every.get(slug, []) for slug in models], smoke))}.")
    console.print(f"{len(all_defects())} of them are named by diagnose.  docs/kills.md says what each is.")


def _counts(caught: list[list[str]], smoke: set[str]) -> Iterator[str]:
    yield f"{len(caught)} in all"
    yield f"{sum(map(bool, caught))} caught by core"
    yield f"{sum(len(ids) > 1 for ids in caught)} by two cases or more"
    yield f"{sum(bool(smoke & set(ids)) for ids in caught)} by smoke"


VIEWS: dict[str, Callable[[Console], None]] = {
    "families": families, "flags": flags, "coverage": covered, "kills": kills,
}  # fmt: skip
