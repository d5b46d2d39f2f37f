"""Whether a group keeps the promises of the format: each finding is one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from refconv.errors import FormatError
from refconv.formats import FORMATS, get_format
from refconv.illegal import IllegalProblem
from refconv.problem import OversizedProblem
from refconv.suite.fitting import misshapen, unfed, vast
from refconv.suite.flags import FLAGS, REFUSED, flag_of
from refconv.suite.lint_quantized import lint_quantization
from refconv.suite.model import EXPECTED, INPUTS, RESULTS, Array, Case, Expected, Group
from refconv.suite.names import is_case_id, is_slug


def lint_group(group: Group) -> list[str]:
    """List what is wrong with a group; an empty list is a clean one.

    That the stated output size follows from the geometry is no business of a :class:`Group`, whose problems
    cannot state a wrong one; reading an index checks it.
    """
    findings = [*_lint_names(group), *_lint_notes(group)]
    for case in group.cases:
        findings += [f"case {case.id!r}: {finding}" for finding in lint_case(case)]
    return findings


def lint_case(case: Case) -> Iterator[str]:
    """Yield what is wrong with one case, apart from its names and the notes of its flags."""
    yield from vast(case.problem)
    if not case.flags:
        yield "flags must name at least one bug that the case hunts, got none."
    if case.result not in RESULTS:
        yield f"result must be one of {', '.join(RESULTS)}, got {case.result!r}."
    if not case.expected and case.result == "valid":
        yield "expected must hold at least one result, got none."
    if case.result == "invalid" or case.refused:
        yield from _lint_invalid(case)
        return
    yield from _lint_alternatives(case)
    if case.quantization is not None:
        yield from lint_quantization(case, case.quantization)
    for name, array in case.inputs.items():
        yield from _lint_input(case, name, array)
    for name, expected in case.expected.items():
        yield from _lint_operation(case, name, expected)


def _lint_invalid(case: Case) -> Iterator[str]:
    """Yield what is wrong with a case that must be refused: it is refused for a reason, and holds no result."""
    if case.result != "invalid" or not case.refused or case.expected or case.alternatives:
        yield "what is invalid, and nothing else, must name operations that are refused and hold no result."
    shapes = {name: array.shape for name, array in case.inputs.items()}
    fitting = all(shape == case.problem.shape_of(name) for name, shape in shapes.items())
    if fitting and not isinstance(case.problem, IllegalProblem):
        yield f"what is invalid must break a rule, but the shapes fit the problem and it is legal: {case.problem}."


def _lint_alternatives(case: Case) -> Iterator[str]:
    """Yield what is wrong with a choice: its policies are its flags of that kind, two or more, told apart."""
    if (case.result == "choice") != (len(case.alternatives) > 1) or (case.alternatives and case.expected):
        yield "a choice, and nothing else, must have two or more alternatives and nothing that is expected of all."
    policies = {flag for flag in case.flags if flag in FLAGS and FLAGS[flag].bug_type == "CHOICE"}
    stated = {flag_of(policy) for policy in case.alternatives}
    if case.result == "choice" and stated != policies:
        yield f"the alternatives must be the policies of the flags, {sorted(policies)}, got {sorted(stated)}."
    for policy, results in case.alternatives.items():
        for name, expected in results.items():
            yield from _lint_golden(case, name, f"{policy}/{name}", expected)
    if isinstance(case.problem, OversizedProblem) != (REFUSED in case.alternatives):
        yield f"a problem whose kernel exceeds the input must be a choice with {REFUSED}, and no other may be one."
    computed = {policy: results for policy, results in case.alternatives.items() if policy != REFUSED}
    for name in sorted({name for results in case.alternatives.values() for name in results}):
        goldens = [results[name].tensor for results in case.alternatives.values() if name in results]
        least = 2 if case.quantization else len(computed)  # four ways to round, on few elements
        if len(goldens) < len(computed) or len({(g.shape, g.tobytes()) for g in goldens}) < least:
            yield f"{name} must stand in every alternative and differ, or nothing tells the policies apart."


def _lint_names(group: Group) -> Iterator[str]:
    if not is_slug(group.name):
        yield f"group {group.name!r}: the name must be a slug such as 'grouped-float32'."
    if not group.cases:
        yield f"group {group.name!r}: cases must hold at least one case, got none."
    for case_id, count in Counter(case.id for case in group.cases).items():
        if not is_case_id(case_id, group.name):
            yield f"case {case_id!r}: the id must be {group.name + '/'!r} and a slug."
        if count > 1:
            yield f"case {case_id!r}: the id must be unique, got it {count} times."


def _lint_notes(group: Group) -> Iterator[str]:
    used = {flag: case.id for case in reversed(group.cases) for flag in case.flags}
    for flag, case_id in used.items():
        if flag not in group.notes:
            yield f"case {case_id!r}: every flag must be explained in notes, {flag!r} is not."
        if flag not in FLAGS:
            yield f"case {case_id!r}: every flag must stand in the table of flags, {flag!r} does not."
    for flag in group.notes:
        if flag not in used:
            yield f"group {group.name!r}: every note must belong to a flag of a case, {flag!r} does not."


def _lint_input(case: Case, name: str, array: Array) -> Iterator[str]:
    if name not in INPUTS:
        yield f"an input must be one of {', '.join(INPUTS)}, got {name!r}."
        return
    yield from _lint_dtype(name, array)
    yield from misshapen(case, name, name, array)


def _lint_operation(case: Case, name: str, expected: Expected) -> Iterator[str]:
    if name in EXPECTED:
        for part, array in expected.parts.items():
            yield from misshapen(case, name, name if part == "tensor" else f"{name}.{part}", array)
    findings = [*_lint_golden(case, name, name, expected)]
    yield from findings
    if findings or not expected.tensor.size or _wide(expected.tensor).any():
        return
    if case.problem.reduction_length("forward" if name == "y" else name):
        yield f"{name} must have elements other than zero, or it sees nothing, got {expected.tensor.size} zeros."


def _lint_golden(case: Case, name: str, label: str, expected: Expected) -> Iterator[str]:
    """Yield what is wrong with a golden tensor apart from its shape, which a policy may choose."""
    if name not in EXPECTED:
        yield f"an expected result must be one of {', '.join(EXPECTED)}, got {name!r}."
        return
    yield from unfed(case, name, label)
    findings = [*_lint_dtype(label, expected.tensor), *_lint_judge(label, expected)]
    yield from findings
    if not findings:
        yield from _lint_overflow(label, expected)
        yield from _lint_values(label, expected)


def _lint_dtype(name: str, array: Array) -> Iterator[str]:
    try:
        get_format(array.dtype)
    except FormatError as error:
        yield f"{name}: {error}"


def _lint_judge(name: str, expected: Expected) -> Iterator[str]:
    judge, bounds = expected.judge, {"lo", "hi", "magnitude"} & set(expected.parts)
    if judge.rule not in ("exact", "standard"):
        yield f"{name}: the class of the judge must be exact or standard, got {judge.rule!r}."
    elif judge.rule == "exact" and (bounds or judge.accumulator is not None or judge.terms is not None):
        yield f"{name}: an exact judge must have no interval, accumulator or terms, got some."
    elif judge.rule == "standard":
        yield from _lint_standard(name, expected, bounds)


def _lint_overflow(name: str, expected: Expected) -> Iterator[str]:
    stated, out = expected.judge.overflow, get_format(expected.tensor.dtype)
    modes = () if out.is_integer else ("infinity", "saturate", "nan") if out.has_infinity else ("saturate", "nan")
    if stated is not None and stated not in modes:
        yield f"{name}: overflow for {out} must be one of {', '.join(modes) or 'none'}, got {stated!r}."
    missing = not out.is_integer and not out.has_infinity and np.isnan(_wide(expected.tensor)).any()
    if stated is None and missing:
        yield f"{name} must state its overflow mode, since {out} has no infinity and some results are NaN."


def _lint_standard(name: str, expected: Expected, bounds: set[str]) -> Iterator[str]:
    judge, dtype = expected.judge, expected.tensor.dtype
    if judge.accumulator not in FORMATS or judge.terms is None or judge.terms < 0:
        yield f"{name}: a standard judge must have accumulator and terms, got {judge.accumulator!r} and {judge.terms}."
    for part in sorted({"lo", "hi", "magnitude"} - bounds):
        yield f"{name}: a standard judge must have lo, hi and magnitude, {part} is missing."
    for part in sorted(bounds):
        wanted = np.dtype(np.float64) if part == "magnitude" else dtype
        array = expected.parts[part]
        if array.dtype != wanted or array.shape != expected.tensor.shape:
            yield f"{name}.{part} must be {wanted.name} {expected.tensor.shape}, got {array.dtype.name} {array.shape}."


def _lint_values(name: str, expected: Expected) -> Iterator[str]:
    values = _wide(expected.tensor)
    if expected.lo is not None and expected.hi is not None:
        outside = np.flatnonzero(~_inside(values, _wide(expected.lo), _wide(expected.hi)).reshape(-1))
        if outside.size:
            yield f"{name} must lie between lo and hi, {outside.size} elements do not, first number {outside[0]}."


def _wide(array: Array) -> np.ndarray[Any, np.dtype[np.float64]]:
    return array.astype(np.float64)


def _inside(values: Array, lo: Array, hi: Array) -> Array:
    nan = np.isnan(values) & np.isnan(lo) & np.isnan(hi)
    inside: Array = nan | ((lo <= values) & (values <= hi))
    return inside
