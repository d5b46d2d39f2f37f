"""Fail if a test was skipped in every environment that ran it: a skip everywhere is a hole.

Usage: ``python scripts/check_skips.py FOLDER``, where FOLDER holds one JSON file per environment,
``{test id: outcome}``, as ``tests/conftest.py`` writes them.  A report counts once: it is removed when
it has been read, or what an environment ran last week would vouch for today's skip.
"""

import json
import sys
from collections import Counter
from pathlib import Path


def find_holes(reports: dict[str, dict[str, str]]) -> list[str]:
    """Return the ids that are "skipped" in every report that names them.

    A whole module can be skipped at its import; it is no hole if any of its tests ran elsewhere.
    """
    outcomes = [pair for report in reports.values() for pair in report.items()]
    ran = {test for test, outcome in outcomes if outcome != "skipped"}
    ran |= {test.split("::")[0] for test in ran}
    return sorted({test for test, _ in outcomes} - ran)


def main(folder: str) -> int:
    """Print the counts of every environment, then the holes; return the exit status."""
    paths = sorted(Path(folder).glob("*.json"))
    reports = {path.stem: json.loads(path.read_text()) for path in paths}
    for path in paths:
        path.unlink()
    for name, report in reports.items():
        counts = Counter(report.values())
        print(f"{name}: " + ", ".join(f"{counts[outcome]} {outcome}" for outcome in sorted(counts)))
    holes = find_holes(reports)
    for test in holes:
        print(f"skipped in every environment: {test}")
    if not any(reports.values()):
        print(f"no environment reported a test in {folder}")
    return 1 if holes or not any(reports.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
