"""The page of the kill matrix: every model, what catches it, what core holds beyond the minimum, what others miss."""

from __future__ import annotations

from collections import Counter

from public_suites import SUITES, seen

from refconv.catalogue import cases
from refconv.catalogue.kills import ENOUGH, Kills
from refconv.catalogue.selection import Costs
from refconv.catalogue.tiers import described_families
from refconv.catalogue.triggers import TRIGGERS, met
from refconv.diagnosis.defects import all_defects, every_defect, triggered_defects
from refconv.diagnosis.faults import all_faults

HEAD = """# Which faulty convolutions do the vectors catch?

`python scripts/select_core.py vectors/core` prints this from the frozen matrix, and fails if a model is caught by
fewer than two cases or a selection is no longer what the matrix implies.  `--measure` and `--check` measure.

A model with a trigger is wrong only where that holds.  Defect models are told by golden values alone.  Faults of
memory, state and numerics went through the whole of `refconv check`, over smoke and then group by group, until
{enough} cases had caught them; so did the few models that no single call of a small case shows: three need more
than 65,535 images or elements, which the side check of `refconv check` makes by repeating small cases, and one adds
gradients up from call to call.

Models compute in float64; what they give is rounded to the format of the result before it is held against golden
values, since two different sums may be one number there.
"""


OTHERS = """## What other suites see

The geometries of published suites (`scripts/public_suites.py` says where they stand and which are left out), with
our exact data, all four results and no tolerance, which is more than these suites ask for; in float32.

{table}
Seen by core and by none of them ({count}): {alone}.
"""


def page(kills: Kills, smoke: list[str], minimum: dict[str, list[str]], costs: Costs) -> str:
    """Write the page."""
    parts = (
        HEAD.format(enough=ENOUGH),
        _summary(kills, smoke),
        _others(kills),
        _why(minimum, costs),
        _models(kills, smoke),
    )
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)]) + "\n"


def _summary(kills: Kills, smoke: list[str]) -> str:
    every, chosen = kills.all, set(smoke)
    kinds = {"named by diagnose": all_defects(), "with a trigger": triggered_defects(),
             "defect models together": every_defect(), "faults of memory, state, numerics": all_faults()}  # fmt: skip
    rows = []
    for name, models in kinds.items():
        ids = [set(every.get(slug, ())) for slug in models]
        values = sum(bool(chosen & set(kills.by_values.get(slug, ()))) for slug in models)
        rows.append((name, len(ids), sum(map(bool, ids)), sum(len(some) > 1 for some in ids),
                     "-" if models is not every_defect() and name.startswith("faults") else values,
                     sum(bool(some & chosen) for some in ids)))  # fmt: skip
    missed = [f"`{slug}`" for slug in (*every_defect(), *all_faults()) if len(every.get(slug, ())) < 2]
    head = ("", "number", "caught by core", "twice or more", "by smoke: values", "by smoke: check")
    return _table(head, rows) + f"\nCaught by fewer than two cases of core: {', '.join(missed) or 'none'}.\n"


def _others(kills: Kills) -> str:
    """Say which models the published suites do not see, even with our exact data."""
    found = {name: seen(problems) for name, problems in SUITES.items()}
    together = set().union(*found.values())
    total = len(every_defect())
    rows = [(name, len(problems), len(found[name]), f"{100 * len(found[name]) / total:.0f} %")
            for name, problems in SUITES.items()]  # fmt: skip
    rows.append(
        ("all of them together", sum(map(len, SUITES.values())), len(together), f"{100 * len(together) / total:.0f} %")
    )
    alone = [f"`{slug}`" for slug, ids in kills.all.items() if slug in every_defect() and ids and slug not in together]
    return OTHERS.format(
        table=_table(("suite", "problems", f"of {total} models", ""), rows), count=len(alone), alone=", ".join(alone)
    )


def _why(minimum: dict[str, list[str]], costs: Costs) -> str:
    lines = ["## Why core is larger than it must be", ""]
    lines += [f"* {purpose}: {len(ids)} cases, {sum(map(costs.cases.__getitem__, ids)):,} bytes"
              for purpose, ids in minimum.items()]  # fmt: skip
    kept = set(next(reversed(minimum.values())))
    known = described_families()
    counts, chosen = Counter(map(_family, costs.cases)), Counter(map(_family, kept))
    rows = [(f"`{name}`", counts[name], chosen[name], known[name]) for name in sorted(counts)]
    lines += ["", "The rest hunts bugs that no model has: the same seams in other formats, fills, neighbourhoods.", "",
              _table(("family", "cases", "in the minimum", "what it is for"), rows)]  # fmt: skip
    return "\n".join(lines)


def _family(case_id: str) -> str:
    group = case_id.partition("/")[0]
    return max((name for name in described_families() if group.startswith(f"{name}-")), key=len)


def _models(kills: Kills, smoke: list[str]) -> str:
    chosen, rows = set(smoke), []
    for slug, ids in kills.all.items():
        model = every_defect().get(slug) or all_faults()[slug]
        source = f"[thread]({model.source})" if model.source.startswith("http") else model.source
        count = f"{len(ids)} or more" if slug not in kills.by_values and len(ids) >= ENOUGH else len(ids)
        first = f"`{ids[0]}`" if ids else "-"
        rows.append((f"`{slug}`", model.summary().replace("|", "\\|"), source, count, len(chosen & set(ids)), first))
    return "## Every model\n\n" + _table(("model", "what is wrong", "seen", "cases", "in smoke", "the first"), rows)


TRIGGER_HEAD = """# Conditions behind which bugs were found

Beside the triggers of the defect models (docs/kills.md), these conditions were met by bugs in public threads, or are
the ends of tiles, vectors, counters and special kernels.  Each cell names the first case that meets one; what is in
italics is in the extended tier, and a dash is a hole.  `scripts/select_core.py --write` writes this page, and
`tests/catalogue/test_triggers.py` fails if core no longer meets the condition of a thread in float32 or int8.
"""
COLUMNS = (("float32", "grad_weight"), ("int8", "forward"), ("float16", "forward"), ("bfloat16", "forward"))


def trigger_page() -> str:
    """Write the page of the triggers, each with its cases."""
    core, extended = cases("core"), cases("extended")
    columns = [(met(core, *column), met(extended, *column)) for column in COLUMNS]
    rows = []
    for trigger in TRIGGERS:
        cells = [_first(near[trigger.slug], far[trigger.slug]) for near, far in columns]
        rows.append((f"`{trigger.slug}`", trigger.words, trigger.link, *cells))
    names = [f"{element}, {operation}" for element, operation in COLUMNS]
    return TRIGGER_HEAD + "\n" + _table(("trigger", "where", "seen", *names), rows)


def _first(near: list[str], far: list[str]) -> str:
    return f"`{near[0]}`" if near else f"*`{far[0]}`*" if far else "-"
