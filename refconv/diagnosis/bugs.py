"""The bugs behind a run, a line for each: what tests say at their end."""

from __future__ import annotations

from refconv.check import Report
from refconv.diagnosis.causes import with_causes
from refconv.suite import Suite

LIMIT = 5  # bugs that are explained; those of fewer failures are only named


def bugs(report: Report, suite: Suite) -> list[str]:
    """Name the known defects behind the failures of a report, and count what none of them explains.

    Parameters
    ----------
    report : Report
    suite : Suite
        The one that was checked.

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
    >>> bugs(check(KernelFlipped(), suite, ["compact-*"], ["forward"]), suite)[0].partition(".")[0]
    'kernel-flipped (10 failures): The kernel is flipped along all axes'
    """
    causes = with_causes(report, suite).causes
    lines = [f"{cause} Usually means: {cause.usually}" for cause in causes[:LIMIT]]
    if len(causes) > LIMIT:
        lines.append(f"And {', '.join(cause.defect for cause in causes[LIMIT:])}.")
    unnamed = len(report.failures) - sum(len(cause.failures) for cause in causes)
    if unnamed:
        failures = "1 failure" if unnamed == 1 else f"{unnamed} failures"
        lines.append(f"{failures} without a name here: refconv diagnose looks closer.")
    return lines
