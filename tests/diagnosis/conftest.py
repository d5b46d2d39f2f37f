"""A busy machine is no fault of the code under test: the clock of the diagnosis counts the time of the processor."""

import importlib
import time
from types import SimpleNamespace

import pytest

SLOWER = 2  # for processors that are slower than ours
TIMED = ("conditions", "explain", "pairs", "recover", "wider", "narrow")


@pytest.fixture(autouse=True, scope="module")
def a_slow_clock():
    """Let a second of every limit last two of the processor; before any fixture of a module diagnoses something."""
    slow = SimpleNamespace(
        monotonic=lambda: time.process_time() / SLOWER, perf_counter=lambda: time.process_time() / SLOWER
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in TIMED:
            patch.setattr(importlib.import_module(f"refconv.diagnosis.{name}"), "time", slow)
        yield


@pytest.fixture
def the_real_clock(monkeypatch):
    """Give the time limits back, to a test that is about them."""
    for name in TIMED:
        monkeypatch.setattr(importlib.import_module(f"refconv.diagnosis.{name}"), "time", time)
