"""The bug behind failures: what a report says of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """A known defect that predicts the wrong results of some failures.

    Attributes
    ----------
    defect : str
        Its slug.
    equals : tuple of str
        The slugs of others that predict the same.
    summary, usually : str
        What is wrong, in one sentence; and what the author of the code should look at, after "Usually means: ".
    failures : frozenset of (str, str)
        The case and the operation of each failure that it predicts.
    operations : tuple of str
        In which it was seen.
    problems : int
        How many different problems show it: one alone may be an accident.
    contradicted : int
        On how many right results that were looked at it would show as well: then the bug is like this one,
        but needs some condition more.
    """

    defect: str
    equals: tuple[str, ...]
    summary: str
    usually: str
    failures: frozenset[tuple[str, str]]
    operations: tuple[str, ...]
    problems: int
    contradicted: int = 0

    def __str__(self) -> str:
        """Say it in one line.

        Examples
        --------
        >>> print(Cause("kernel-flipped", (), "The kernel is flipped.", "", frozenset({("a/b", "forward")}), (), 1))
        kernel-flipped (1 failure, one problem only): The kernel is flipped.
        """
        count = len(self.failures)
        seen = f"{count} failure" if count == 1 else f"{count} failures"
        seen += ", one problem only" if self.problems == 1 else ""
        like = "like " if self.contradicted else ""
        equals = f" Equivalent here: {', '.join(self.equals)}." if self.equals else ""
        return f"{like}{self.defect} ({seen}): {self.summary}{equals}"
