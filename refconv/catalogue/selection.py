"""Small selections of cases that catch everything: set cover, greedily, always the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Matrix = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Costs:
    """What a case costs.

    Attributes
    ----------
    cases : dict of str to int
        The bytes of each case, index and tensors, in the order of the suite.
    group : int
        The bytes of a group before its first case.
    """

    cases: dict[str, int]
    group: int = 0

    def of(self, case_id: str, chosen: Iterable[str]) -> int:
        """Return what a case adds to a selection."""
        group = case_id.partition("/")[0] + "/"
        return self.cases[case_id] + (0 if any(name.startswith(group) for name in chosen) else self.group)

    def total(self, chosen: Sequence[str]) -> int:
        """Return what a selection costs."""
        return sum(self.of(case_id, chosen[:place]) for place, case_id in enumerate(chosen))


def cover(
    matrix: Matrix, costs: Costs, times: int = 1, always: Sequence[str] = (), room: int | None = None
) -> list[str]:
    """Choose cases so that each row of a matrix has at least so many of its cases among them, if it has so many.

    Greedy: the case that adds most for its bytes comes next; what the others have made superfluous is dropped.

    Parameters
    ----------
    matrix : mapping of str to sequence of str
        For each row (a defect model, a pair of factor values) its cases.
    costs : Costs
    times : int
    always : sequence of str
        Cases that are chosen whatever they catch.
    room : int, optional
        Bytes that must suffice; rows for which none are left stay without a case.

    Returns
    -------
    list of str
        In the order of ``costs``.

    Examples
    --------
    >>> matrix = {"flipped": ["a/1", "a/2"], "shifted": ["a/2"], "scaled": ["a/3"]}
    >>> cover(matrix, Costs({"a/1": 10, "a/2": 10, "a/3": 10}))
    ['a/2', 'a/3']
    """
    needed = {row: min(times, len(ids)) for row, ids in matrix.items()}
    rows = _rows_of(matrix)
    chosen, before = list(always), None
    while chosen != before:  # what is dropped makes room for others
        before = list(chosen)
        chosen = _pruned(_grown(chosen, rows, needed, costs, room), set(always), rows, needed, costs)
    return chosen


def _grown(
    chosen: list[str], rows: dict[str, set[str]], needed: dict[str, int], costs: Costs, room: int | None
) -> list[str]:
    """Add cases, the one that adds most for its bytes first, until nothing is missing or nothing fits."""
    chosen = list(chosen)
    candidates = [case_id for case_id in costs.cases if case_id in rows and case_id not in set(chosen)]
    left = _left(needed, rows, chosen)
    while left:
        spent = costs.total(chosen) if room is not None else 0
        scored = [(len(left.keys() & rows[name]) / max(1, costs.of(name, chosen)), name) for name in candidates]
        fitting = [pair for pair in scored if room is None or spent + costs.of(pair[1], chosen) <= room]
        score, best = max(fitting, key=lambda pair: pair[0], default=(0.0, ""))
        if not score:
            break
        chosen.append(best)
        candidates.remove(best)
        left = _left(needed, rows, chosen)
    return chosen


def _rows_of(matrix: Matrix) -> dict[str, set[str]]:
    rows: dict[str, set[str]] = {}
    for row, ids in matrix.items():
        for case_id in ids:
            rows.setdefault(case_id, set()).add(row)
    return rows


def _left(needed: dict[str, int], rows: dict[str, set[str]], chosen: Iterable[str]) -> dict[str, int]:
    have = Counter(row for case_id in chosen for row in rows.get(case_id, ()))
    return {row: count - have[row] for row, count in needed.items() if have[row] < count}


def _pruned(
    chosen: list[str], always: set[str], rows: dict[str, set[str]], needed: dict[str, int], costs: Costs
) -> list[str]:
    """Drop what is not missed, the dearest first."""
    have = Counter(row for case_id in chosen for row in rows.get(case_id, ()))
    for case_id in sorted(set(chosen) - always, key=lambda name: (-costs.cases[name], name)):
        if all(have[row] > needed[row] for row in rows[case_id]):
            chosen.remove(case_id)
            have.subtract(rows[case_id])
    return sorted(chosen, key=list(costs.cases).index)
