"""How a mutant is tried: in a fork of a process that has everything imported, and if need be in one that has not."""

import functools
import gc
import importlib
import importlib.abc
import importlib.util
import os
import pickle
import resource
import signal
import sys
import threading
import time
import types
from collections import defaultdict

import hypothesis
import pytest
from _pytest.runner import runtestprotocol
from mutant_rooms import ROOT
from mutant_sources import functions

sys.path.insert(0, str(ROOT))  # it is the checkout that is changed
BUDGET, LONGEST = 30, 15  # seconds of processor time that tests took before the change: those of one mutant, and each
ENDS = {
    0: "survived",
    1: "killed",
    -signal.SIGXCPU: "too slow",
    -signal.SIGALRM: "too slow",
}  # what crashed was noticed


def ends_of(mutants, tests):
    """Yield each mutant, how it ended, and how many tests were to notice it."""
    hub = Forks(mutants)
    first, seconds = in_a_process(lambda: (_session(tests, hub), hub.found)[1])
    for mutant, (end, wanted) in zip(mutants, first, strict=True):
        if end == "again":
            end = _end_of(lambda mutant=mutant, wanted=wanted: _anew(mutant, tests, wanted, seconds))
        yield mutant, end, len(wanted) or len(seconds)


class Forks:
    """A plug-in of pytest: instead of running the tests once, it runs them for every mutant, each time in a fork."""

    def __init__(self, mutants):
        self.mutants, self.found = mutants, None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self):
        """Make the tests the same for every mutant, and let them fail at once."""
        steady()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        """Run the tests as they are, then for each mutant."""
        callers, seconds = _observed(session.items, {str(mutant.path) for mutant in self.mutants})
        _forget()
        items = {item.nodeid: item for item in session.items if item.nodeid in seconds}
        first = [items[name] for name in affordable(list(items), seconds)]
        if _end_of(lambda: _failing(first, loud=True)) != "survived":
            raise AssertionError("the tests fail in a fork where nothing was changed")
        ends = []
        for mutant in self.mutants:
            ends.append(self._end(mutant, items, callers, seconds))
            if len(ends) % 100 == 0:
                print(f"{len(ends)} of {len(self.mutants)}", file=sys.__stderr__, flush=True)
        self.found = ends, seconds
        return True

    def _end(self, mutant, items, callers, seconds):
        changed = _exchange(mutant)
        wanted = affordable(callers[mutant.path.as_posix(), mutant.function], seconds)
        if not changed or not wanted:
            return "again", []
        limit = 10 + 3 * sum(seconds[name] for name in wanted)
        end = _end_of(lambda: setattr(*changed) or _failing([items[name] for name in wanted]), limit)
        return ("again" if end == "survived" else end), wanted


class Chosen:
    """A plug-in of pytest that runs some of the tests, the quickest first."""

    def __init__(self, wanted, seconds):
        self.order = {name: number for number, name in enumerate(wanted or affordable(list(seconds), seconds))}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self):
        """Make the tests the same as they were."""
        steady()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        """Leave out and sort."""
        items[:] = sorted((i for i in items if i.nodeid in self.order), key=lambda item: self.order[item.nodeid])


class Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from a text instead of its file."""

    def __init__(self, mutant):
        self.mutant = mutant

    def find_spec(self, fullname, path=None, target=None):
        """Find the one module."""
        if fullname == self.mutant.module:
            package = self.mutant.path.name == "__init__.py"
            places = [str(self.mutant.path.parent)] if package else None
            return importlib.util.spec_from_file_location(
                fullname, self.mutant.path, loader=self, submodule_search_locations=places
            )
        return None

    def get_source(self, fullname):
        """Return the changed text."""
        return self.mutant.source


def in_a_process(work):
    """Return what a function returns, having run it in a fork."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(work(), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(process, 0)
    return pickle.loads(answer)


def steady():
    """Let every mutant meet the same examples, and make none of them smaller: that a test fails is enough."""
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile(
        "mutants", deadline=None, derandomize=True, database=None, phases=phases,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    hypothesis.settings.load_profile("mutants")


def affordable(names, seconds):
    """Return the quickest tests, as many as the budget allows."""
    chosen, spent = [], 0.0
    for name in sorted((name for name in names if seconds[name] <= LONGEST), key=seconds.get):
        spent += seconds[name]
        if spent <= BUDGET:
            chosen.append(name)
    return chosen


def _session(tests, plugin):
    """Run pytest quietly; its exit status is what its plug-in leaves behind, or tells."""
    words = ["-c", str(ROOT / "pyproject.toml"), "-q", "-x", "-s", "-p", "no:cacheprovider", "--doctest-modules",
             "-m", "not slow and not oracle", "-o", "tmp_path_retention_policy=none",
             "-W", "ignore::pytest.PytestAssertRewriteWarning"]  # fmt: skip
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    return pytest.main([*words, *tests], plugins=[plugin])


def _anew(mutant, tests, wanted, seconds):
    """Return whether tests fail when the changed module is imported, which may fail itself."""
    sys.meta_path.insert(0, Changed(mutant))
    importlib.import_module(mutant.module)  # before pytest, which would take it from its file
    return _session(tests, Chosen(wanted, seconds)) != 0


def _observed(items, files):
    """Run the tests; return which of them called which function of the files, and how long each took."""
    callers, seconds = defaultdict(list), {}
    for item, following in zip(items, [*items[1:], None], strict=True):
        called = set()

        def note(frame, event, argument, called=called):
            if event == "call":
                called.add(frame.f_code)

        begin = time.process_time()
        threading.setprofile(note)
        sys.setprofile(note)
        names = dict(item.dtest.globs) if hasattr(item, "dtest") else {}  # of a docstring; they are gone afterwards
        reports = runtestprotocol(item, log=False, nextitem=following)
        sys.setprofile(None)
        threading.setprofile(None)
        if names:
            item.dtest.globs.update(names)
        if all(report.passed for report in reports):
            seconds[item.nodeid] = time.process_time() - begin
            for code in called:
                if code.co_filename in files:
                    callers[code.co_filename, code.co_qualname.partition(".<locals>")[0]].append(item.nodeid)
    return defaultdict(list, {key: sorted(set(names)) for key, names in callers.items()}), seconds


def _forget():
    """Empty every cache that the tests have filled."""
    for found in gc.get_objects():
        if isinstance(found, functools._lru_cache_wrapper):
            found.cache_clear()


def _failing(items, loud=False):
    """Run tests until one fails, and return whether one did."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        for report in runtestprotocol(item, log=False, nextitem=following):
            if report.failed:
                if loud:
                    print(item.nodeid, report.longreprtext, file=sys.__stderr__, flush=True)
                return True
    return False


def _exchange(mutant):
    """Return the arguments of setattr that make the function the changed one, or None if it cannot be found."""
    codes = [
        code for name, code in functions(compile(mutant.source, str(mutant.path), "exec")) if name == mutant.function
    ]
    found = sys.modules.get(mutant.module)
    for part in mutant.function.split("."):
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
    while found is not None and not isinstance(found, types.FunctionType):
        inner = ("fget", "func", "__func__", "__wrapped__")
        found = next((getattr(found, name) for name in inner if getattr(found, name, None) is not None), None)
    while hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    if len(codes) != 1 or found is None or found.__code__.co_qualname != mutant.function:
        return None
    return (found, "__code__", codes[0]) if found.__code__.co_freevars == codes[0].co_freevars else None


def _end_of(work, limit=600):
    """Ask in a fork whether tests fail, with a limit on processor time and on memory, and return how that ended."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit) + 5))
            resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))
            signal.alarm(900)  # for what sleeps
            status = int(bool(work()))
        finally:
            os._exit(status)
    return ENDS.get(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), "killed")
