"""The words that all forms of a report share: values, problems, failures and what they usually mean."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass

from refconv.check import Outcome, Report
from refconv.errors import GeometryError
from refconv.judge import Element
from refconv.problem import Problem, TransposedProblem, read_problem
from refconv.suite import FLAGS
from refconv.suite.strict_json import visible

MARKS = {
    "PASS": "✓", "SUSPICIOUS": "?", "XFAIL": "x", "FAIL": "✗", "XPASS": "+", "UNSUPPORTED": "–", "REJECTED": "⊘",
    "ERROR": "!", "CRASH": "†", "TIMEOUT": "…",
}  # fmt: skip
LONGEST = 600  # characters of a message: an implementation may print its whole input

# A flag of an index says more than a flag of the values, and that more than a general one.
_SPECIFIC = ("KNOWN_BUG", "INVALID", "CHOICE", "INDEXING", "LAYOUT", "NONFINITE", "DTYPE", "NUMERIC", "EXACT", "BASIC")
WIDTH = len("usually means")  # of the longest label
_PREFIX = "A failure usually means that "
RAISED = ("raised ", "broke down with ")  # how the message of an exception begins
CALLED = "x, weight and bias come first, stride, padding and dilation as pairs such as (1, 1), groups as a number."
NOT_OFFERED = "this is not offered: raise NotImplementedError for it, which is counted apart."
PAIRS = " Where the sides of the padding differ, it comes as ((top, bottom), (left, right))."


def plain(text: str, longest: int = LONGEST) -> str:
    r"""Put a text on one line of visible characters.

    Examples
    --------
    >>> plain("a\n  b\x1b[31m")
    'a b\\x1b[31m'
    """
    shown = visible(text[: longest + 1])
    return shown if len(text) <= longest else f"{shown[:longest]} ..."


def number(value: float) -> str:
    """Write a number with as many digits as tell it from its neighbours.

    Examples
    --------
    >>> number(4.0), number(-0.0), number(0.1), number(float("-inf"))
    ('4', '-0', '0.1', '-inf')
    """
    return repr(float(value)).removesuffix(".0")


def problem_of(descriptor: str) -> Problem | None:
    """Read a descriptor; None where it describes no legal convolution, transposed or not."""
    try:
        return read_problem(descriptor)
    except GeometryError:
        return None


def describe_problem(descriptor: str) -> str:
    """Say the shapes of a problem, and the parameters that are not at their default.

    Examples
    --------
    >>> describe_problem("n2c4i7x9-k6w3x2-s2x1-d1x2-p1+0x2+1-g2-o3x10")  # doctest: +NORMALIZE_WHITESPACE
    'x (2, 4, 7, 9), weight (6, 2, 3, 2), stride (2, 1), dilation (1, 2), padding ((1, 0), (2, 1)), groups 2,
     y (2, 6, 3, 10)'
    """
    problem = problem_of(descriptor)
    if problem is None:
        return plain(descriptor)
    axes = len(problem.input_size)
    defaults = {"stride": (1,) * axes, "dilation": (1,) * axes, "padding": ((0, 0),) * axes, "groups": 1}
    if isinstance(problem, TransposedProblem):
        defaults["output_padding"] = (0,) * axes
    unusual = [(name, getattr(problem, name)) for name, usual in defaults.items() if getattr(problem, name) != usual]
    kind = "transposed, " if isinstance(problem, TransposedProblem) else ""
    words = [("x", problem.x_shape), ("weight", problem.weight_shape), *unusual, ("y", problem.y_shape)]
    return kind + ", ".join(f"{name} {value}" for name, value in words)


def headline(report: Report) -> str:
    """Say in a few words what came of a run.

    Examples
    --------
    >>> headline(Report("mine", "core", "2026.1.31", ()))
    'Nothing was executed'
    """
    if not report.executed:
        return "Nothing was executed"
    if report.failures:
        return f"{len(report.failures)} of {report.executed} operations failed"
    known = sum(report.known().values())
    return f"Passed, with {known} expected failure{'' if known == 1 else 's'}" if known else "Passed"


def usually_means(flag: str) -> str:
    """Say what failures of a flag usually mean; nothing where nobody explained it.

    Examples
    --------
    >>> usually_means("Pointwise")
    'a shortcut through matrix multiplication ignores the stride, the padding or the groups.'
    """
    return FLAGS[flag].effect.removeprefix(_PREFIX) if flag in FLAGS else ""


def hint(outcome: Outcome, report: Report, flag: str = "") -> str:
    """Say what a failure may mean: what cases with a flag hunt, if all of them fail while others pass.

    Parameters
    ----------
    outcome : Outcome
    report : Report
    flag : str, optional
        What the failures of its kind have in common; by default the flag of the outcome that says most.

    Returns
    -------
    str
        Empty where there is nothing to go by: neither wrong numbers nor an exception, or no flag that tells right
        from wrong.
    """
    flag = flag or next(iter(ordered_flags(report, outcome)), "")
    telling = report.failing_share(outcome.operation, flag) == 1 and report.by_operation()[outcome.operation]["PASS"]
    if outcome.message.startswith("raised TypeError") and not report.by_operation()[outcome.operation]["PASS"]:
        return CALLED
    if telling and outcome.message.startswith(RAISED):
        return NOT_OFFERED + (PAIRS if "AsymmetricPadding" in outcome.flags else "")
    return usually_means(flag) if compare(outcome) and telling else ""


def ordered_flags(report: Report, outcome: Outcome) -> list[str]:
    """Order the flags of a failure: those whose cases all fail come first, and the specific before the general."""

    def key(flag: str) -> tuple[float, int]:
        return -report.failing_share(outcome.operation, flag), specific(flag)

    return sorted(outcome.flags, key=key)


def specific(flag: str) -> int:
    """Rank a flag: the lower the number, the more it says about a bug.

    Examples
    --------
    >>> specific("Pointwise") < specific("Basic")
    True
    """
    return _SPECIFIC.index(FLAGS[flag].bug_type) if flag in FLAGS else len(_SPECIFIC)


def reproduce(report: Report, case_id: str, command: str | None = None) -> str:
    """Return the command line that runs one case alone.

    Examples
    --------
    >>> reproduce(Report("torch", "core", "2026.1.31", ()), "grouped/g2")
    'refconv check torch --select grouped/g2'
    """
    base = f"refconv check {shlex.quote(report.implementation)}" if command is None else command
    return plain(with_options(base, f" --select {shlex.quote(case_id)}"), longest=10_000)  # whole, or it would not run


def with_options(command: str, options: str) -> str:
    """Add options to a command line: before the dashes, where it names a program to judge.

    Examples
    --------
    >>> with_options("refconv check -- ./harness", " --ops forward")
    'refconv check --ops forward -- ./harness'
    """
    words, dashes, program = command.partition(" -- ")
    return f"{words}{options}{dashes}{program}"


def place(operation: str, index: tuple[int, ...]) -> str:
    """Name an element of a result.

    Examples
    --------
    >>> place("forward", (0, 1, 2, 3))
    'y[0, 1, 2, 3]'
    """
    return f"{'y' if operation == 'forward' else operation}[{', '.join(map(str, index))}]"


def units(error: float) -> str:
    """Say an error in units of the bound.

    Examples
    --------
    >>> units(2.5), units(float("inf"))
    ('2.5 times the bound', 'beyond any bound')
    """
    return f"{error:.3g} times the bound" if math.isfinite(error) else "beyond any bound"


@dataclass(frozen=True)
class Comparison:
    """A wrong element beside the truth, in words."""

    label: str
    place: str
    expected: str
    got: str
    allowed: str
    error: str


def compare(outcome: Outcome) -> list[Comparison]:
    """Set the first wrong element, and the worst if it is another one, beside the truth.

    Returns
    -------
    list of Comparison
        Empty where no element is wrong; ``allowed`` and ``error`` are empty where the rule is equality.
    """
    first, worst = outcome.first, outcome.worst
    if first is None:
        return []
    found = {"first wrong": first}
    if worst is not None and worst.index != first.index and outcome.rule != "exact":
        found["largest error"] = worst
    return [_comparison(label, element, outcome) for label, element in found.items()]


def facts(outcome: Outcome, report: Report, flag: str = "") -> list[tuple[str, str]]:
    """List what there is to know about a failure apart from its numbers, each with its label.

    Parameters
    ----------
    outcome : Outcome
    report : Report
        The run that it belongs to, which tells which flags its failures have in common.
    flag : str, optional
        What the failures of its kind have in common.

    Returns
    -------
    list of (str, str)
        Label and plain text, in the order in which a reader wants them.
    """
    verdict, judged = outcome.verdict, f"{outcome.element}, judged {outcome.rule}"
    flags, cause = ordered_flags(report, outcome), report.cause_of(outcome)
    rows = [("flags", ", ".join(flags)), ("problem", describe_problem(outcome.descriptor))]
    if verdict is None or verdict.passed:
        rows.append(("message", outcome.message))
    else:
        rows.append(("wrong", f"{verdict.wrong} of {verdict.elements} elements; {judged}"))
    if cause:
        rows += [("diagnosis", str(cause)), ("usually means", cause.usually)]
    else:
        rows.append(("may mean", hint(outcome, report, flag)))
    return [(label, plain(text)) for label, text in rows if text]


def describe_failure(outcome: Outcome, report: Report, again: str, flag: str = "") -> list[str]:
    """Tell a failure in lines of plain text.

    Parameters
    ----------
    outcome : Outcome
    report : Report
    again : str
        The command that reproduces it.
    flag : str, optional
        What the failures of its kind have in common.
    """
    numbers = [(row.label, sentence(row)) for row in compare(outcome)]
    rows = [*facts(outcome, report, flag), ("reproduce", again)]
    at = next((i for i, (label, _) in enumerate(rows) if label in ("diagnosis", "may mean", "reproduce")), 0)
    rows[at:at] = numbers
    return [f"{label:<{WIDTH}}  {text}" for label, text in rows]


def _comparison(label: str, element: Element, outcome: Outcome) -> Comparison:
    exact = outcome.rule == "exact"
    allowed = "" if exact else f"{number(element.lo)} to {number(element.hi)}"
    where, expected, got = place(outcome.operation, element.index), number(element.expected), number(element.got)
    return Comparison(label, where, expected, got, allowed, "" if exact else units(element.error))


def not_looked_at(report: Report) -> str:
    """Say how many wrong results were put to no model of a known defect, for want of time; else say nothing."""
    count = report.not_looked_at
    results = "one wrong result" if count == 1 else f"{count} wrong results"
    words = f"There was no time to look for a known defect behind {results}: fewer cases leave more of it."
    return words if count else ""


def sentence(row: Comparison) -> str:
    """Set a wrong element beside the truth in a sentence."""
    bound = f" (allowed {row.allowed}; {row.error})" if row.allowed else ""
    return f"{row.place}: expected {row.expected}, got {row.got}{bound}"
