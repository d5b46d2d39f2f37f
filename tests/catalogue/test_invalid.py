import pytest

from refconv.catalogue import cases
from refconv.generate.consensus import consult, golden_case
from refconv.suite import FLAGS, lint_case

SPECS = [spec for spec in cases("core") if spec.row.invalid]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_a_case_that_must_be_refused_holds_no_result_and_is_clean(spec):
    case = golden_case(spec)
    assert (case.result, case.refused, case.expected) == ("invalid", ("forward",), {})
    assert list(lint_case(case)) == []


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_each_hunts_one_bug_of_its_kind(spec):
    assert [FLAGS[flag].bug_type for flag in spec.flags] == ["INVALID"]


@pytest.mark.oracle
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_torch_refuses_them_too(spec):
    pytest.importorskip("torch")
    from refconv.implementations import load_implementation

    assert consult(load_implementation("torch:float64"), spec) == {"forward": "refused"}
