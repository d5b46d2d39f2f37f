"""Say in sentences what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from refconv.diagnosis.defects import known_defects
from refconv.diagnosis.observe import Observation, Refusal
from refconv.diagnosis.traits import shape_hint, telling
from refconv.implementations import RESULT_NAMES
from refconv.problem import OPERATIONS, ConvProblem

PLAIN = (
    "Only plain convolutions of images are looked at here: refconv check names the bugs of quantised ones, too, and "
    "with --vectors vectors/axes those of transposed convolutions and of one or three axes."
)
ROUNDING = 2.0**-7  # differences below, as a share of the largest result, look like arithmetic

NO_RESULT = {
    "UNSUPPORTED": "Not supported", "REJECTED": "No result", "FAIL": "Forbidden", "ERROR": "Broke down",
    "CRASH": "Crashed", "TIMEOUT": "No answer in time",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """A defect that explains some operations.

    Attributes
    ----------
    operations : tuple of str
        Those whose results it predicts.
    defects : tuple of str
        Its slug, and those of all others that predict the same here.
    shown, judged : int
        On how many different problems it showed, of how many.
    rounded : bool
        Whether the results are those that it predicts but for small differences.
    """

    operations: tuple[str, ...]
    defects: tuple[str, ...]
    shown: int
    judged: int
    rounded: bool = False


def describe(
    observations: Sequence[Observation], refused: Sequence[Refusal], findings: Sequence[Finding],
    explanations: Mapping[str, str] | None = None, wider: int = 0,
) -> str:  # fmt: skip
    """Write the description of a diagnosis, a line for each finding; `wider` problems more were right, too."""
    explanations = explanations or {}
    explained = {name for finding in findings for name in finding.operations}
    sentences = [_finding(finding) for finding in findings]
    for operation in OPERATIONS:
        items = [item for item in observations if item.operation == operation]
        if any(item.wrong for item in items) and operation not in explained:
            sentences.append(" ".join(filter(None, [_riddle(operation, items), explanations.get(operation, "")])))
    right = [name for name in OPERATIONS if _is_right(name, observations)]
    problems = len({item.problem for item in observations if item.operation in right})
    if not observations:
        sentences.append("Nothing could be judged.")
    elif right:
        more = f", and on {_count(wider, 'wider one')}" if wider else ""
        sentences.append(
            f"{_listed(right)} {_s(right)} equal to the exact result on {_count(problems, 'problem')}{more}."
        )
    nothing = not observations and all(item.unsupported for item in refused)
    return "\n".join([*sentences, *_refusals(refused), *([PLAIN] if nothing else [])])


def _finding(finding: Finding) -> str:
    slug, *equals = finding.defects
    defect = known_defects()[slug]
    where = f"seen on {finding.shown} of {_count(finding.judged, 'problem')}"
    text = f"{_listed(finding.operations)}: {slug}, {where}. {defect.summary()} Usually means: {defect.usually}"
    if finding.shown == 1:
        text += " Only one of the problems shows it, so look twice."
    if finding.rounded:
        text += " Apart from it, results differ by what looks like rounding."
    if equals:
        text += f" Equivalent here: {_listed(equals)}."
    return text


def _riddle(operation: str, items: Sequence[Observation]) -> str:
    """Say what is known of an operation that no defect explains."""
    wrong, right = [item for item in items if item.wrong], [item for item in items if not item.wrong]
    parts = [
        f"{operation}: wrong on {len(wrong)} of {_count(len(items), 'problem')}, and no single known defect fits all.",
        _first(wrong[0]),
        _shapes(wrong),
        _arithmetic(wrong),
        _partial(wrong),
    ]
    common = telling(*([ConvProblem.from_descriptor(item.problem) for item in group] for group in (wrong, right)))
    if common:
        parts.append(f"All problems that go wrong, and no others, have {_listed(common)}.")
    return " ".join(filter(None, parts))


def _first(item: Observation) -> str:
    if item.index is None:
        return f"First on {item.problem}: expected shape {item.expected_shape}, got {item.got_shape}."
    where = f"{RESULT_NAMES[item.operation]}[{', '.join(map(str, item.index))}]"
    return (
        f"First on {item.problem}: {item.wrong} of {item.elements} elements, "
        f"{where}: expected {item.expected:.9g}, got {item.got:.9g}."
    )


def _shapes(wrong: Sequence[Observation]) -> str:
    hints = {
        shape_hint(item.operation, ConvProblem.from_descriptor(item.problem), item.got_shape): None
        for item in wrong
        if item.got_shape != item.expected_shape
    }
    return "".join(f"Usually means: {hint}." for hint in list(filter(None, hints))[:1])


def _arithmetic(wrong: Sequence[Observation]) -> str:
    if not all(item.repeatable for item in wrong):
        return "Two calls with equal inputs differ: state that is kept, or memory that is read before it is written."
    error = max(item.error for item in wrong)
    if error >= ROUNDING:
        return ""
    terms = max(ConvProblem.from_descriptor(item.problem).reduction_length(item.operation) for item in wrong)
    other = "or like a few wrong terms of long sums" if error * terms >= 1 else "not like a wrong term"
    return (
        f"The differences are small (up to {error:.1e} of the largest result): it looks like rounding, "
        f"as in Winograd, FFT or narrower arithmetic, {other}."
    )


def _partial(wrong: Sequence[Observation]) -> str:
    """Name the defect that explains most of the wrong problems."""
    counted = Counter(slug for item in wrong for slug in item.matches or ())
    if not counted:
        return ""
    slug, count = max(counted.items(), key=lambda entry: entry[1])
    others = [item.problem for item in wrong if item.matches is not None and slug not in item.matches]
    if not others:
        return f"Those look like {slug}, which would show on more problems, though."
    more = f" and {len(others) - 1} more" if others[1:] else ""
    return f"On {count} of them it looks like {slug}, but not on {_listed(others[:1])}{more}."


def _refusals(refused: Sequence[Refusal]) -> list[str]:
    sentences = []
    for status, verb in NO_RESULT.items():
        counts = Counter(item.operation for item in refused if item.status == status)
        if counts:
            which = _listed([f"{name} on {_count(count, 'problem')}" for name, count in counts.items()])
            reason = next(item.reason for item in refused if item.status == status)
            sentences.append(f"{verb}: {which} ({reason.rstrip('.')}).")
    return sentences


def _is_right(operation: str, observations: Sequence[Observation]) -> bool:
    wrong = [item.wrong for item in observations if item.operation == operation]
    return bool(wrong) and not any(wrong)


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _s(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
