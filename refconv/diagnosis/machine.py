"""A diagnosis as JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from refconv.diagnosis.difference import Difference, Part
from refconv.diagnosis.observe import Observation
from refconv.diagnosis.patterns import Selection

if TYPE_CHECKING:
    from refconv.diagnosis.diagnose import Diagnosis
    from refconv.diagnosis.explain import Explanation


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return lists, dicts, numbers and strings only; no NaN and no infinity."""
    return {
        "implementation": diagnosis.name,
        "correct": diagnosis.correct,
        "defect": diagnosis.defect,
        "description": diagnosis.description,
        "findings": [
            {
                "operations": list(item.operations), "defects": list(item.defects), "shown": item.shown,
                "judged": item.judged,
            }
            for item in diagnosis.findings
        ],
        "explanations": [_explanation(item) for item in diagnosis.explanations],
        "evidence": [_observation(item) for item in diagnosis.evidence],
        "refused": [
            {"operation": item.operation, "problem": item.problem, "reason": item.reason} for item in diagnosis.refused
        ],
    }  # fmt: skip


def _explanation(item: Explanation) -> dict[str, Any]:
    found = item.conditions
    return {
        "operation": item.operation,
        "problem": item.problem,
        "pair": list(item.pair),
        "sentences": list(item.text),
        "exact": item.exact,
        "conditions": list(found.found) if found else None,
        "simplest_problem": found.smallest.descriptor if found else None,
        "remark": item.remark,
        "differences": [_difference(difference) for difference in item.differences],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "tensor": difference.tensor, "exact": difference.exact, "wrong": difference.wrong, "of": difference.slots,
        "parts": [_part(part) for part in difference.parts],
        "examples": list(difference.examples),
    }  # fmt: skip


def _part(part: Part) -> dict[str, Any]:
    return {
        "where": _selection(part.where),
        "indices": [
            {"index": formula.name, "kind": formula.kind, "terms": [list(term) for term in formula.terms],
             "constant": formula.constant}
            for formula in part.formulas
        ],
        "dropped": _selection(part.dropped) if part.dropped else None,
        "factors": [{"factor": factor, "where": _selection(selection)} for factor, selection in part.factors],
        "one": part.one,
        "extra": part.extra,
    }  # fmt: skip


def _selection(selection: Selection) -> dict[str, Any]:
    patterns = [{"letter": item.letter, "is": item.kind, "numbers": list(item.numbers)} for item in selection.patterns]
    return {"not": selection.negated, "all": patterns}


def _observation(item: Observation) -> dict[str, Any]:
    return {
        "operation": item.operation, "problem": item.problem, "elements": item.elements, "wrong": item.wrong,
        "index": list(item.index) if item.index is not None else None, "expected": _number(item.expected),
        "got": _number(item.got), "matches": None if item.matches is None else list(item.matches),
    }  # fmt: skip


def _number(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)
