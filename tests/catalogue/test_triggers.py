"""Conditions behind which public bugs were found: the cases meet them."""

import pytest

from refconv.catalogue import cases
from refconv.catalogue.triggers import THREADS, TRIGGERS, met
from refconv.problem import OPERATIONS

CORE = cases("core")


def test_slugs_are_unique_and_every_trigger_says_where_it_was_seen():
    assert len({trigger.slug for trigger in TRIGGERS}) == len(TRIGGERS)
    assert all(trigger.words and trigger.link for trigger in TRIGGERS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_core_meets_the_triggers_of_threads_in_every_operation(operation):
    found = met(CORE, "float32", operation)
    assert [trigger.slug for trigger in THREADS if not found[trigger.slug]] == []


def test_core_meets_the_triggers_of_threads_in_int8():
    found = met(CORE, "int8", "forward")
    assert [trigger.slug for trigger in THREADS if not found[trigger.slug]] == []


def test_a_trigger_that_nothing_meets_is_seen():
    found = met([spec for spec in CORE if "boundaries" not in spec.group], "float32", "forward")
    assert not found["kernel-beyond-eight-bits"]
