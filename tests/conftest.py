"""Hooks of every test run: what needs torch is skipped without it, toolchains are looked for, outcomes are recorded."""

import importlib.util
import json
import os
import shutil
from pathlib import Path

import hypothesis
import pytest

# Programs, which tests start; --doctest-modules would import them.
collect_ignore = ["support/harness_files.py", "support/harness_zoo.py", "toy_project"]

# A busy machine is no fault of the code under test.
hypothesis.settings.register_profile(
    "refconv", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("refconv")

MISSING = pytest.StashKey[set]()


def pytest_configure(config):
    config.stash[MISSING] = set()
    path = os.environ.get("REFCONV_SKIP_REPORT")
    if path and not hasattr(config, "workerinput"):  # under xdist, the controller hears of every outcome
        config.pluginmanager.register(OutcomeRecorder(Path(path)))


def pytest_runtest_setup(item):
    if item.get_closest_marker("oracle") and importlib.util.find_spec("torch") is None:
        pytest.skip("needs torch: pip install 'refconv[torch]'")


def pytest_collection_modifyitems(config, items):
    """Leave out what needs a program that is not here; the end of the run says which."""
    kept, gone = [], []
    for item in items:
        wanted = [program for mark in item.iter_markers("toolchain") for program in mark.args]
        missing = {program for program in wanted if shutil.which(program) is None}
        config.stash[MISSING] |= missing
        (gone if missing else kept).append(item)
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = kept


def pytest_terminal_summary(terminalreporter, config):
    if config.stash[MISSING]:
        terminalreporter.write_line(
            f"clients NOT run, since these are missing: {', '.join(sorted(config.stash[MISSING]))}"
        )


class OutcomeRecorder:
    """Writes ``{test id: outcome}`` for scripts/check_skips.py."""

    def __init__(self, path):
        self.path, self.outcomes = path, {}
        path.unlink(missing_ok=True)  # a run that dies leaves no report of an earlier one

    def pytest_collectreport(self, report):
        if report.skipped:  # a whole module, by importorskip
            self.outcomes[_test_id(report.nodeid)] = "skipped"

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or not report.passed:
            outcome = "xfailed" if hasattr(report, "wasxfail") and report.skipped else report.outcome
            self.outcomes[_test_id(report.nodeid)] = outcome

    def pytest_sessionfinish(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.outcomes, indent=1, sort_keys=True))


def _test_id(nodeid):
    """Forget where the package is installed, so that its doctests bear one name in all environments."""
    return nodeid.rpartition("site-packages/")[2]
