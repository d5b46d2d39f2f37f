from dataclasses import replace

import algorithms
import numpy as np
import pytest

from refconv import JudgeError, check, load_suite
from refconv.cli import commands
from refconv.implementations.references import Reference
from refconv.judge import judge_tensor
from refconv.judge.classes import FORMS
from refconv.reference import im2col
from refconv.suite.embedded import smoke_folder


@pytest.fixture(scope="module")
def smoke():
    return load_suite(smoke_folder())


class Tf32(Reference):
    """im2col on inputs that are rounded to 11 bits where they are float32."""

    def __init__(self):
        super().__init__(im2col)
        self.name = "tf32"

    def forward(self, x, weight, bias, problem):
        if x.dtype == np.float32:
            x, weight = algorithms.narrowed(x, 11), algorithms.narrowed(weight, 11)
        return super().forward(x, weight, bias, problem)


@pytest.mark.parametrize("name", ["standard", "ftz", "reduced:tf32", "split:4:bfloat16", "winograd:4", "fft", "tosa"])
def test_a_reference_passes_whatever_it_claims(smoke, name):
    report = check(Reference(im2col), smoke, judged_by=name)
    assert report.passed
    assert {outcome.accuracy_class for outcome in report.outcomes} == {name}
    (row,) = report.by_rule()
    assert (row.rule, row.operations, row.wrong) == (name, len(report.outcomes), 0)


def test_an_implementation_passes_by_its_own_class_and_fails_by_the_vectors(smoke):
    select = ["*-float32-zero-mean/*"]
    assert not check(Tf32(), smoke, select, ["forward"]).passed
    assert check(Tf32(), smoke, select, ["forward"], judged_by="reduced:tf32").passed


def test_an_unknown_class_is_refused(smoke):
    with pytest.raises(JudgeError, match="an accuracy class must be one of"):
        check(Reference(im2col), smoke, judged_by="winograd:3")


class Off(Reference):
    """im2col with errors of a tenth of the bound, far more than rounding makes of sums this long."""

    def __init__(self, share):
        super().__init__(im2col)
        self.name, self.share = "off", share

    def forward(self, x, weight, bias, problem):
        y = im2col.forward(*(t.astype(np.float64) for t in (x, weight, bias)), problem)
        size = im2col.forward(*(np.abs(t).astype(np.float64) for t in (x, weight, bias)), problem)
        n = problem.reduction_length("forward") + 1
        return (y + self.share * n * 2.0**-24 * size).astype(x.dtype)


@pytest.fixture(scope="module")
def long_sums(tmp_path_factory):
    from refconv import generate

    folder = tmp_path_factory.mktemp("suite") / "vectors"
    generate(folder, "core", ["full-reduction-float32-zero-mean/*", "grouped-float32-zero-mean/*"])
    return load_suite(folder)


@pytest.mark.parametrize(("strict", "status"), [(False, "SUSPICIOUS"), (True, "FAIL")])
def test_errors_that_rounding_hardly_makes_are_suspicious_and_a_failure_on_request(long_sums, strict, status):
    report = check(Off(0.3), long_sums, operations=["forward"], strict_statistics=strict)
    found = [outcome for outcome in report.outcomes if outcome.statistics is not None]
    assert found
    bad = [outcome for outcome in found if outcome.status == status]
    assert bad
    assert report.passed is not strict
    assert all(outcome.statistics.suspicious and outcome.verdict.passed for outcome in bad)
    assert "(a model, not a proof)" in bad[0].message


def test_honest_errors_are_not_suspicious(long_sums):
    report = check(Reference(im2col), long_sums, strict_statistics=True)
    assert report.passed
    assert any(outcome.statistics is not None for outcome in report.outcomes)


def test_the_command_takes_a_class_and_lists_the_forms(capsys):
    arguments = ["check", "im2col", "--select", "worked-example-*", "--class", "winograd:4", "--strict-statistics"]
    assert commands.main(arguments, standalone_mode=False) == 0
    assert "winograd:4" in capsys.readouterr().out
    with pytest.raises(JudgeError, match=r"fft, tosa, got 'nothing'"):
        commands.main(["check", "im2col", "--class", "nothing"], standalone_mode=False)
    assert "winograd:2, winograd:4" in FORMS


def test_what_only_the_whole_tensor_shows_is_said_without_an_element(smoke, monkeypatch):
    def beyond(self, got, evidence):
        return replace(judge_tensor(evidence.truth, evidence.truth), violation="the errors add up to 3, above 2")

    monkeypatch.setattr("refconv.judge.classes.tosa.Tosa.judge", beyond)
    report = check(Reference(im2col), smoke, ["asymmetric-float32-exact/*"], ["forward"], judged_by="tosa")
    assert {(outcome.status, outcome.message) for outcome in report.outcomes} == {
        ("FAIL", "every element is allowed, but the errors add up to 3, above 2")
    }
