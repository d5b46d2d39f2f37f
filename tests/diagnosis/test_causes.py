"""Failures of a check are put down to known bugs, by what was wrong about them alone."""

import itertools
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import refconv
from refconv import exact
from refconv.check import check
from refconv.diagnosis import all_defects, causes, models, with_causes
from refconv.diagnosis.bugs import bugs
from refconv.diagnosis.defects import Defect
from refconv.diagnosis.kills import catches
from refconv.diagnosis.layer import Layer
from refconv.errors import GeometryError
from refconv.formats import get_format, natural_output
from refconv.generate import generate
from refconv.judge import digest
from refconv.reference import im2col
from refconv.suite import Expected, Judge, Suite, load_suite
from refconv.suite.embedded import smoke_folder

PLAIN = ["*-exact/*", "*-iota/*", "*-zero-mean/*"]


class Bent:
    """A right layer with other operations of a defect, in wide arithmetic, as whoever has one bug would have it."""

    def __init__(self, **slugs):
        for operation in ("forward", "grad_input", "grad_weight", "grad_bias"):
            layer = all_defects()[slugs[operation]]() if operation in slugs else Layer()
            setattr(self, operation, self._wide(getattr(layer, operation)))

    @staticmethod
    def _wide(function):
        def call(*arguments):
            tensors, problem = arguments[:-1], arguments[-1]
            wide = [None if tensor is None else tensor.astype(np.float64) for tensor in tensors]
            out = natural_output(next(tensor.dtype for tensor in tensors if tensor is not None))
            return function(*wide, problem).astype(out.dtype)

        return call


ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def smoke():
    return load_suite(smoke_folder())


def caused(layer, suite, **how):
    return with_causes(check(layer, suite, PLAIN, thorough=False), suite, **how)


def test_one_bug_explains_all_failures_exact_and_rounded(smoke):
    report = caused(Bent(forward="kernel-flipped", grad_input="kernel-flipped"), smoke)
    (cause,) = report.causes
    assert (cause.defect, cause.equals, cause.operations) == ("kernel-flipped", (), ("forward", "grad_input"))
    explained = [outcome for outcome in report.failures if report.cause_of(outcome) is cause]
    assert explained == [outcome for outcome in report.failures if outcome.digest]
    assert any(outcome.rule.startswith("standard") for outcome in explained)
    assert len(explained) == len(cause.failures) > 10
    assert cause.problems > 5
    assert (cause.contradicted, report.not_looked_at) == (0, 0)


def test_two_bugs_are_two_causes(smoke):
    report = caused(Bent(forward="stride-ignored", grad_bias="gradients-averaged"), smoke)
    assert {cause.defect: cause.operations for cause in report.causes} == {
        "stride-ignored": ("forward",), "gradients-averaged": ("grad_bias",)
    }  # fmt: skip


def test_bugs_that_there_is_no_room_to_explain_are_named_and_not_without_a_name(smoke, monkeypatch):
    monkeypatch.setattr("refconv.diagnosis.bugs.LIMIT", 1)
    report = check(Bent(forward="stride-ignored", grad_bias="gradients-averaged"), smoke, PLAIN, thorough=False)
    first, *rest = bugs(report, smoke, "ask")
    assert first.startswith("stride-ignored (")
    assert rest == ["And gradients-averaged.", "More on them: ask"]


def test_a_bug_of_a_few_problems_is_only_like_one_that_shows_on_more(smoke):
    layer, rare = Bent(), Bent(forward="kernel-flipped")

    def forward(x, weight, bias, problem):
        return (rare if weight.shape[2:] == (3, 2) else layer).forward(x, weight, bias, problem)

    report = caused(type("Rare", (), {"forward": staticmethod(forward)})(), smoke)
    assert report.causes[0].defect == "kernel-flipped"
    assert report.causes[0].contradicted > 0
    assert str(report.causes[0]).startswith("like kernel-flipped (")


def test_what_no_model_predicts_has_no_cause(smoke):
    class Odd(Layer):
        def forward(self, x, weight, bias, problem):
            return super().forward(x, weight, bias, problem) * 3 + 1

    report = caused(Odd(), smoke)
    assert report.causes == ()
    assert report.failures
    assert report.not_looked_at == 0


def test_what_there_was_no_time_for_is_counted(smoke):
    report = caused(Bent(forward="kernel-flipped"), smoke, seconds=0)
    assert report.causes == ()
    assert report.not_looked_at == len(report.failures)


def test_a_slow_machine_names_the_same_bugs(smoke, monkeypatch):
    report = check(Bent(forward="kernel-flipped"), smoke, PLAIN, thorough=False)
    clock = itertools.count()  # whoever looks at it is a second older
    for name in ("process_time", "monotonic", "perf_counter", "time"):
        monkeypatch.setattr(time, name, lambda: next(clock))
    (cause,) = with_causes(report, smoke).causes
    assert len(cause.failures) == len(report.failures)


@pytest.mark.parametrize(("product", "most"), [(0.0, 20), (100.0, 0)], ids=["many-small", "one-large"])
def test_no_more_is_predicted_than_there_is_time_for(smoke, monkeypatch, product, most):
    for name, seconds in {"ASK": 1.0, "IDLE": 0.0, "READ": 0.0, "PRODUCT": product}.items():
        monkeypatch.setattr(models, name, seconds)
    answers, ask = [], models.suspected
    monkeypatch.setattr(models, "suspected", lambda *given: answers.append(ask(*given)) or answers[-1])
    report = caused(Bent(forward="stride-ignored"), smoke, seconds=20)
    assert most / 2 <= sum(answer is not None for answer in answers) <= most
    assert (report.causes, report.not_looked_at) == ((), len(report.failures))


class Both:
    """Flips the kernel, and adds one where there are groups."""

    def forward(self, x, weight, bias, problem):
        return Bent(forward="kernel-flipped").forward(x, weight, bias, problem) + (problem.groups > 1)


def test_where_not_all_defects_are_asked_the_one_is_named_that_predicts_a_whole_sample(smoke):
    report = caused(Bent(forward="kernel-flipped"), smoke, seconds=0.06)
    assert [(cause.defect, len(cause.failures)) for cause in report.causes] == [("kernel-flipped", causes.SAMPLE)]
    assert report.not_looked_at == len(report.failures) - causes.SAMPLE
    mixed = caused(Both(), smoke, seconds=0.06)
    assert (mixed.causes, mixed.not_looked_at) == ((), len(mixed.failures))


def test_one_wrong_bit_more_is_another_bug(smoke):
    report = check(Bent(forward="kernel-flipped"), smoke, ["*-exact/*"], ["forward"], thorough=False)
    twisted = [replace(o, digest=digest(np.zeros(1))) if o.digest else o for o in report.outcomes]
    assert with_causes(replace(report, outcomes=tuple(twisted)), smoke).causes == ()


def test_a_second_call_that_goes_wrong_is_no_wrong_value(smoke):
    report = check(all_defects()["gradients-accumulated"](), smoke, ["*-iota/*"])
    assert [outcome.digest for outcome in report.failures] == [""] * len(report.failures)
    assert report.failures


class Sized:
    """A layer that takes the problem for another one, its output's size included."""

    def __init__(self, **changes):
        self.changes = changes

    def forward(self, x, weight, bias, problem):
        try:
            other = replace(problem, **{name: change(getattr(problem, name)) for name, change in self.changes.items()})
        except GeometryError:
            raise NotImplementedError("no output at all") from None
        return Bent().forward(x, weight, bias, other)


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"stride": lambda s: (s[0],) * len(s)}, "stride-of-height-for-both"),
        ({"dilation": lambda d: (d[0],) * len(d)}, "dilation-of-height-for-both"),
        ({"padding": lambda p: (p[0],) * len(p)}, "padding-of-height-for-both"),
        ({"padding": lambda p: ((0, 0),) * len(p)}, "padding-ignored"),
        ({"padding": lambda p: tuple((begin, 0) for begin, _ in p)}, "padding-at-end-missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bug_that_changes_the_size_is_named(smoke, changes, slug):
    report = with_causes(check(Sized(**changes), smoke, PLAIN, ["forward"], thorough=False), smoke)
    assert [(cause.defect, cause.contradicted) for cause in report.causes] == [(slug, 0)]
    assert all(report.cause_of(outcome) for outcome in report.failures)


def test_a_missing_row_is_named(smoke):
    class Short:
        def forward(self, x, weight, bias, problem):
            if problem.output_size[0] < 2:
                raise NotImplementedError("two rows or more")
            return Bent().forward(x, weight, bias, problem)[:, :, :-1]

    (cause,) = caused(Short(), smoke).causes
    assert (cause.defect, cause.contradicted) == ("last-output-row-missing", 0)


def test_other_wrong_results_make_a_defect_only_like_it(smoke):
    first = caused(Both(), smoke).causes[0]
    assert first.defect == "kernel-flipped"
    assert first.contradicted > 0


def test_what_is_right_elsewhere_chooses_the_narrower_defect(smoke):
    (cause,) = caused(Bent(grad_weight="dilation-ignored"), smoke).causes
    assert (cause.defect, cause.equals) == ("grad-weight-dilation-ignored", ())


def test_nan_in_place_of_infinity_is_the_name_of_no_bug():
    class Leaks:
        """Multiplies what fills up an odd reduction, as PyTorch does in bfloat16."""

        def grad_weight(self, x, grad_output, problem):
            right = Bent().grad_weight(x, grad_output, problem)
            return np.where(np.isinf(right), right.dtype.type(np.nan), right)

    regress = load_suite(ROOT / "vectors" / "regress")
    report = check(Leaks(), regress, ["*/infinite-last-gradient"], ["grad_weight"])
    assert [outcome.verdict.wrong for outcome in report.failures] == [12]
    assert with_causes(report, regress).causes == ()


class Forgetful:
    """Computes no gradient of the input on some problems."""

    def __init__(self, forgets):
        self.forgets = forgets

    def grad_input(self, grad_output, weight, problem):
        return Bent().grad_input(grad_output, weight, problem) * (not self.forgets(problem))


def test_one_result_of_zeros_is_the_name_of_no_bug(smoke):
    report = caused(Forgetful(lambda problem: problem.kernel_size == (4, 2)), smoke)
    assert len(report.failures) == 1
    assert report.causes == ()


def test_results_of_zeros_throughout_are_lost_gradients(smoke):
    (cause,) = caused(Forgetful(lambda problem: True), smoke).causes
    assert (cause.defect, cause.contradicted) == ("gradients-lost", 0)


class Saturating:
    """Skips the last column, in wide arithmetic and with a float8 that stops at its largest number."""

    def forward(self, x, weight, bias, problem, overflow=None):
        y = all_defects()["last-column-skipped"]().forward(x.astype(float), weight.astype(float), bias, problem)
        largest = get_format(x.dtype).largest
        return (y.clip(-largest, largest) if overflow == "saturate" else y).astype(x.dtype)


class InE5m2(Suite):
    """The saturating cases in the other float8."""

    def case(self, case_id):
        case, out = super().case(case_id), get_format("float8_e5m2")
        tensors = {name: tensor.astype(float) for name, tensor in case.inputs.items()}
        tensors["x"][tensors["x"] == get_format("float8_e4m3fn").largest] = out.largest
        y = exact.forward(tensors["x"], tensors["weight"], None, case.problem, out, im2col, "saturate")
        inputs = {name: tensor.astype(out.dtype) for name, tensor in tensors.items()}
        return replace(case, inputs=inputs, expected={"y": Expected(y, Judge("exact", overflow="saturate"))})


@pytest.mark.parametrize("kind", [Suite, InE5m2])
def test_a_bug_is_named_where_float8_saturates(kind):
    core = load_suite(ROOT / "vectors" / "core")
    suite = kind(core.folder, core.manifest)
    report = check(Saturating(), suite, ["*/product-saturate"], ["forward"], thorough=False)
    (cause,) = with_causes(report, suite).causes
    assert "last-column-skipped" in (cause.defect, *cause.equals)


def test_cases_that_must_be_refused_say_nothing_of_a_bug(tmp_path):
    def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        return refconv.conv2d(x, np.ascontiguousarray(weight[..., ::-1, ::-1]), bias, stride, padding, dilation, groups)

    generate(tmp_path / "suite", select=["illegal-*", "worked-example-*"])
    suite = load_suite(tmp_path / "suite")
    report = check(conv2d, suite, operations=["forward"], thorough=False)
    assert {"PASS", "FAIL"} == {outcome.status for outcome in report.outcomes}
    (cause,) = with_causes(report, suite).causes
    assert (cause.defect, cause.contradicted) == ("kernel-flipped", 0)


def test_who_answers_what_must_be_refused_is_not_sent_to_diagnose(tmp_path):
    def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        return np.zeros((1, 1, 1, 1), x.dtype)

    generate(tmp_path / "suite", select=["illegal-*"])
    suite = load_suite(tmp_path / "suite")
    assert bugs(check(conv2d, suite), suite, "look there") == [f"{len(suite)} failures without a name here."]


class Refusing(Defect):
    """A layer that refuses everything."""

    def forward(self, x, weight, bias, problem):
        raise ValueError("no such kernel")


def test_who_refuses_a_problem_is_caught_unless_there_is_nothing_to_compute(smoke):
    assert catches(smoke.case("worked-example-float32-iota/x3x3-w2x2"), Refusing) == ("forward",)
    assert catches(smoke.case("batch-float32-exact/n0"), Refusing) == ()
