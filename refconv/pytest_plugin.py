"""The pytest plugin: options, fixtures, and the promise that a run which executed nothing is never green.

pytest loads this module in every project of an environment where refconv is installed, so at its head it
imports pytest alone; NumPy and the rest follow when a test asks for one of the fixtures.
"""

from __future__ import annotations

import pickle
import shlex
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from refconv.errors import RefconvError

if TYPE_CHECKING:
    from refconv.check import Outcome, Plan, Stepwise
    from refconv.implementations import Session
    from refconv.suite import Case

CONFORMANCE = "refconv.conformance"
PROPERTY = "refconv"  # of a test: its status, operation and case
NO_IMPLEMENTATION = (
    "--refconv-impl must name what is to be checked, such as --refconv-impl mypackage.layers:conv2d; "
    "refconv_impl in pytest's configuration says it for good."
)
MOVED = "A path behind a blank, as in --refconv-xfails ../known.toml, moves rootdir: write --refconv-xfails=FILE."

OPTIONS = {  # name: (metavar, whether there may be several, help)
    "impl": ("IMPL", False, "What to check: package.module:name, path/file.py:name or a known engine."),
    "vectors": ("DIR", False, "The suite; by default the small one that comes with refconv."),
    "select": ("GLOB", True, "Only cases whose id matches."),
    "ops": ("NAME", True, "Only these operations, of forward, grad_input, grad_weight and grad_bias."),
    "class": ("CLASS", False, "The arithmetic that it claims, such as winograd:4."),
    "policy": ("NAME", True, "A policy that it claims where several results are right."),
    "xfails": ("FILE", False, "Expected failures, in TOML."),
    "min-cases": ("N", False, "Fewer executed cases are a failure; by default 1."),
}
PATHS = ("vectors", "xfails")

plan_key: pytest.StashKey[Plan] = pytest.StashKey()
step_key: pytest.StashKey[Stepwise] = pytest.StashKey()
outcomes_key: pytest.StashKey[list[Outcome]] = pytest.StashKey()  # of what this process executed


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer every option on the command line and in the configuration."""
    group = parser.getgroup("refconv", "refconv: checks of a convolution against golden values")
    for name, (metavar, several, text) in OPTIONS.items():
        action = "append" if several else "store"
        group.addoption(f"--refconv-{name}", action=action, default=None, metavar=metavar, help=text)
        kind: Literal["args", "string"] = "args" if several else "string"
        parser.addini(_dest(name), text, type=kind, default=[] if several else "")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse a run that cannot mean anything."""
    config.addinivalue_line("markers", "refconv: one operation of one case of refconv's conformance suite")
    _min_cases(config)
    asked = config.getoption("pyargs", False) and any(arg.partition("::")[0] == CONFORMANCE for arg in config.args)
    if asked and not setting(config, "impl"):
        where = f"{config.inipath or 'no file of configuration'}; rootdir is {config.rootpath}"
        raise pytest.UsageError(f"{NO_IMPLEMENTATION}  pytest has read {where}. {MOVED}")
    if not hasattr(config, "workerinput"):  # under xdist, the controller hears of every outcome
        config.pluginmanager.register(Tally(config), "refconv-tally")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that asks for cases, or for outcomes, one run for each, in the order of the suite."""
    names = [name for name in ("refconv_case", "refconv_outcome") if name in metafunc.fixturenames]
    if not names:
        return
    with _plainly():
        plan = _plan(metafunc.config)
        if "refconv_outcome" not in names:
            metafunc.parametrize(names, [[case] for case in plan.ids], indirect=True, ids=plan.ids)
            return
        _step(metafunc.config)  # an implementation that does not start is told once, not once for each case
        pairs = plan.pairs()
        values = [[case, (case, operation)] if len(names) > 1 else [(case, operation)] for case, operation in pairs]
        metafunc.parametrize(names, values, indirect=True, ids=[f"{case}-{operation}" for case, operation in pairs])


@pytest.fixture
def refconv_case(request: pytest.FixtureRequest) -> Case:
    """One case of the suite after the other: ``inputs``, ``problem``, ``expected`` and what it hunts."""
    return _plan(request.config).suite.case(request.param)


@pytest.fixture(scope="session")
def refconv_implementation(pytestconfig: pytest.Config) -> Any:
    """Return the implementation that ``--refconv-impl`` names: ``run(operation, tensors, problem)``."""
    from refconv.implementations import SessionRunner

    try:
        return SessionRunner(_step(pytestconfig).session)
    except RefconvError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def refconv_outcome(request: pytest.FixtureRequest) -> Outcome:
    """Return what came of one operation of one case after the other, expected failures marked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the verdict is that of refconv check, whatever filters a project sets
        outcome = _step(request.config).outcome(*request.param)
    request.node.user_properties.append((PROPERTY, f"{outcome.status} {outcome.operation} {outcome.case_id}"))
    if outcome.status != "UNSUPPORTED":
        request.config.stash.setdefault(outcomes_key, []).append(outcome)
    return outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what came of a worker of xdist to the process that tells it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[PROPERTY] = pickle.dumps(session.config.stash.get(outcomes_key, []))


class Tally:
    """Counts what was executed in all processes of a run, and lets it fail if that is too little."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.statuses: dict[tuple[str, str], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note an outcome."""
        for name, value in report.user_properties if report.when == "call" else ():
            if name == PROPERTY:
                status, operation, case = str(value).split(" ", 2)
                self.statuses[case, operation] = status

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what came of a worker of xdist."""
        told = getattr(node, "workeroutput", {}).get(PROPERTY)
        self.config.stash.setdefault(outcomes_key, []).extend(pickle.loads(told) if told else [])

    @property
    def executed(self) -> list[tuple[str, str]]:
        """The cases and operations that were run."""
        return [pair for pair, status in self.statuses.items() if status != "UNSUPPORTED"]

    @property
    def too_few(self) -> str:
        """Say that too few cases were executed; empty if it is not so, or nobody asked."""
        asked = self.statuses or self.config.getoption("refconv_min_cases")
        count, least = len({case for case, _ in self.executed}), _min_cases(self.config)
        if not asked or self.config.option.collectonly or count >= least:
            return ""
        return f"executed {count} cases, fewer than --refconv-min-cases {least}."

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let a run fail that executed too little."""
        if self.too_few and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how much was executed, and which expected failures nothing belongs to."""
        if not self.statuses and not self.too_few:
            return
        terminalreporter.section("refconv")
        cases = len({case for case, _ in self.statuses})
        total, words = len(self.statuses), "case" if cases == 1 else "cases"
        terminalreporter.write_line(f"{len(self.executed)} of {total} operations executed in {cases} {words}.")
        for line in self._bugs():
            terminalreporter.write_line(line)
        for warning in self._idle():
            terminalreporter.write_line(f"warning: {warning}", yellow=True)
        if self.too_few:
            terminalreporter.write_line(f"failed: {self.too_few}", red=True, bold=True)

    def _bugs(self) -> list[str]:
        outcomes = self.config.stash.get(outcomes_key, [])
        if not any(outcome.failed for outcome in outcomes):
            return []
        from refconv.check import Report
        from refconv.diagnosis.bugs import bugs
        from refconv.implementations.command import named

        suite, impl = _plan(self.config).suite, setting(self.config, "impl")
        report = Report(impl, suite.name, suite.version, tuple(outcomes))
        return bugs(report, suite, f"refconv diagnose {named(impl)}")

    def _idle(self) -> list[str]:
        path = setting(self.config, "xfails")
        if not path:
            return []
        from refconv.check import idle_warning, read_xfails

        try:
            return idle_warning(read_xfails(path), self.executed)
        except RefconvError:  # told at the collection
            return []


def setting(config: pytest.Config, name: str) -> Any:
    """Return an option: that of the command line, or else that of the configuration.

    Paths of the configuration are relative to its file.
    """
    given = config.getoption(_dest(name))
    if given:
        return given
    value = config.getini(_dest(name))
    folder = config.inipath.parent if config.inipath else config.rootpath
    if value and (name in PATHS or (name == "impl" and ".py:" in value)):
        return str(folder / Path(value))
    return value


def check_command(config: pytest.Config) -> str:
    """Return the command line that does the same without pytest."""
    from refconv.implementations.command import named
    from refconv.report import with_options

    words: list[str] = []
    for name in ("vectors", "class", "xfails"):
        words += [f"--{name}", setting(config, name)] if setting(config, name) else []
    for policy in setting(config, "policy"):
        words += ["--policy", policy]
    return with_options(f"refconv check {named(setting(config, 'impl'))}", f" {shlex.join(words)}" if words else "")


def _dest(name: str) -> str:
    return f"refconv_{name}".replace("-", "_")


def _min_cases(config: pytest.Config) -> int:
    text = setting(config, "min-cases") or "1"
    if not text.isdecimal():
        raise pytest.UsageError(f"--refconv-min-cases must be a number of cases, got {text!r}.")
    return int(text)


@contextmanager
def _plainly() -> Iterator[None]:
    """Turn what a user got wrong into one sentence."""
    try:
        yield
    except RefconvError as error:
        raise pytest.Collector.CollectError(f"refconv: {error}") from None


def _plan(config: pytest.Config) -> Plan:
    if plan_key not in config.stash:
        from refconv.check import Plan, read_xfails
        from refconv.problem import OPERATIONS
        from refconv.suite import load_suite
        from refconv.suite.embedded import smoke_folder

        suite = load_suite(setting(config, "vectors") or smoke_folder())
        xfails = read_xfails(setting(config, "xfails")) if setting(config, "xfails") else ()
        operations = [name for text in setting(config, "ops") for name in text.split(",")]
        config.stash[plan_key] = Plan(
            suite, setting(config, "select") or ["*"], operations or OPERATIONS,
            setting(config, "class") or None, setting(config, "policy"), xfails,
        )  # fmt: skip
    return config.stash[plan_key]


def _step(config: pytest.Config) -> Stepwise:
    if step_key not in config.stash:
        from refconv.check import Stepwise

        if not setting(config, "impl"):
            raise RefconvError(NO_IMPLEMENTATION)
        session = _open(setting(config, "impl"))
        config.add_cleanup(session.close)
        config.stash[step_key] = Stepwise(_plan(config), session)
    return config.stash[step_key]


def _open(implementation: str) -> Session:
    """Start what is to be checked, in a process of its own."""
    from refconv.implementations import open_session

    return open_session(implementation)
