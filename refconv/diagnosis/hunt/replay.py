"""Try what an earlier hunt has saved."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from refconv.diagnosis.hunt.attempt import read_attempt
from refconv.diagnosis.hunt.hunt import Hunt
from refconv.diagnosis.hunt.reproducer import program_for
from refconv.diagnosis.hunt.trial import trial
from refconv.implementations import as_runner
from refconv.judge import parse_class


def replay(implementation: Any, path: Path, judged_by: str | None = None, source: Any = None) -> Hunt:
    """Try the one case of a file that ``refconv hunt --save`` wrote.

    Parameters
    ----------
    implementation : object
        Whatever :func:`refconv.implementations.as_runner` takes.
    path : Path
    judged_by, source
        As for :func:`refconv.hunt`.

    Raises
    ------
    CatalogueError
        If the file is no saved case.
    """
    begin, runner = time.monotonic(), as_runner(implementation)
    attempt, operation = read_attempt(path)
    claimed = parse_class(judged_by) if judged_by else None
    try:
        caught = trial(runner, attempt, operation, claimed)
    except NotImplementedError:
        return Hunt(runner.name, 0, 1, time.monotonic() - begin)
    text = program_for(caught, runner, source or implementation, claimed)
    return Hunt(runner.name, 1, 0, time.monotonic() - begin, caught, text)
