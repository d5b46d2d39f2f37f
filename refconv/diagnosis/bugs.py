"""The bugs behind a run, a line for each: what tests say at their end."""

from __future__ import annotations

from refconv.check import Outcome, Report
from refconv.diagnosis.causes import with_causes
from refconv.errors import GeometryError
from refconv.problem import ConvProblem, read_problem
from refconv.suite import Suite

LIMIT = 5  # bugs that are explained; those of fewer failures are only named


def bugs(report: Report, suite: Suite, closer: str) -> list[str]:
    """Name the known defects behind the failures of a report, count what none explains, and say what tells more.

    Parameters
    ----------
    report : Report
    suite : Suite
        The one that was checked.
    closer : str
        How a diagnosis of the same implementation is called.

    Returns
    -------
    list of str
        Empty if nothing failed.

    Examples
    --------
    >>> from refconv.check import check
    >>> from refconv.diagnosis.defects.orientation import KernelFlipped
    >>> from refconv.suite import load_suite
    >>> from refconv.suite.embedded import smoke_folder
    >>> suite = load_suite(smoke_folder())
    >>> bugs(check(KernelFlipped(), suite, ["compact-*"], ["forward"]), suite, "")[0].partition(".")[0]
    'kernel-flipped (10 failures): The kernel is flipped along all axes'
    """
    causes = with_causes(report, suite).causes
    lines = [f"{cause} Usually means: {cause.usually}" for cause in causes[:LIMIT]]
    if len(causes) > LIMIT:
        lines.append(f"And {', '.join(cause.defect for cause in causes[LIMIT:])}.")
    unnamed = len(report.failures) - sum(len(cause.failures) for cause in causes)
    if unnamed:
        failures = "1 failure" if unnamed == 1 else f"{unnamed} failures"
        lines.append(f"{failures} without a name here.")
    if any(can_be_diagnosed(outcome, suite) for outcome in report.failures):
        lines.append(f"More on them: {closer}")
    return lines


def can_be_diagnosed(outcome: Outcome, suite: Suite) -> bool:
    """Say whether :func:`refconv.diagnosis.diagnose` looks at such a failure: a wrong plain convolution of images."""
    try:
        problem = read_problem(outcome.descriptor)
    except GeometryError:
        return False
    images = isinstance(problem, ConvProblem) and len(problem.input_size) == 2
    return bool(outcome.digest and images and suite.case(outcome.case_id).quantization is None)
