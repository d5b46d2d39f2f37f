"""The regress tier: bugs of released libraries, each with a flag of its own."""

import re

import pytest

from refconv import check, load_suite
from refconv.catalogue import cases
from refconv.generate import generate
from refconv.implementations.references import im2col
from refconv.suite import FLAGS

SPECS = cases("regress")
KNOWN = {flag for flag, note in FLAGS.items() if note.bug_type == "KNOWN_BUG"}


@pytest.mark.parametrize("flag", sorted(KNOWN))
def test_a_known_bug_has_a_case_and_says_whose_and_when(flag):
    assert any(flag in spec.flags for spec in SPECS)
    assert re.search(r"\d+\.\d+|\d{8}", FLAGS[flag].description), "a version"
    assert re.search(r"reproduced (on 2026-\d\d-\d\d|in [A-Z][a-z]+ 2026)\.", FLAGS[flag].description)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_a_case_names_its_bug_and_is_small(spec):
    assert [flag for flag in spec.flags if flag in KNOWN]
    assert sum(tensor.nbytes for tensor in spec.inputs().values()) < 2**12


def test_the_references_pass(tmp_path):
    generate(tmp_path / "regress", "regress")
    report = check(im2col(), load_suite(tmp_path / "regress"))
    assert report.passed
    assert report.executed == len(report.outcomes)
