"""Every defect model is a planted fault: the suite inside the package must find each of them."""

import pytest

from refconv import check, load_suite
from refconv.diagnosis import all_defects
from refconv.suite.embedded import smoke_folder


@pytest.fixture(scope="module")
def smoke():
    return load_suite(smoke_folder())


@pytest.mark.parametrize("slug", all_defects())
def test_the_embedded_suite_finds(slug, smoke):
    defect = all_defects()[slug]()
    report = check(defect, smoke, ["*-float32-*/*"], defect.operations)
    wrong = [outcome for outcome in report.failures if outcome.status == "FAIL"]
    assert wrong, f"{slug} passes all {report.executed} operations"
    for outcome in wrong:  # and each failure says where, what was expected, and what came
        assert outcome.flags
        assert outcome.first.expected != outcome.first.got
        assert outcome.message.endswith(f"got {outcome.first.got:.9g}")
