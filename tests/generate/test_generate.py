import hashlib
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from refconv import CatalogueError, DisagreementError, ImplementationError, RefconvError, SuiteError, load_suite
from refconv.catalogue import cases
from refconv.generate import consult, generate, golden_case, recompute
from refconv.implementations import as_runner, load_implementation
from refconv.implementations.references import Reference
from refconv.reference import direct, im2col, sparse
from refconv.suite import lint_case, verify_files

SMALL = ["worked-example-*", "thin-*/row", "asymmetric-float32-zero-mean/wide-kernel"]


def digest(folder):
    return hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def suite_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated") / "suite"
    assert generate(folder, "core", SMALL) == 3
    return folder


def test_a_generated_suite_is_in_order(suite_folder):
    assert verify_files(suite_folder) == []
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=suite_folder, check=False)
    assert done.returncode == 0


def test_the_worked_example_is_in_it(suite_folder):
    case = load_suite(suite_folder).case("worked-example-float32-iota/x3x3-w2x2")
    assert case.expected["y"].tensor.tolist() == [[[[37, 47], [67, 77]]]]


@pytest.mark.parametrize("order", [["worked-example-*"], SMALL])
def test_jobs_executors_and_order_change_no_byte(tmp_path, order):
    generate(tmp_path / "one", "core", order)
    generate(tmp_path / "two", "core", order[::-1], jobs=2)
    with ThreadPoolExecutor(2) as pool:
        generate(tmp_path / "three", "core", order, executor=pool)
    assert digest(tmp_path / "one") == digest(tmp_path / "two") == digest(tmp_path / "three")


def test_progress_counts_the_cases(tmp_path):
    seen = []
    generate(tmp_path / "suite", "core", SMALL, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3, 3)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize("reference", [direct, sparse, im2col], ids=lambda module: module.name)
@pytest.mark.parametrize("operation", ["forward", "grad_input", "grad_weight", "grad_bias"])
def test_one_dissenting_reference_stops_everything(monkeypatch, tmp_path, reference, operation):
    honest = getattr(reference, operation)

    def dissenting(*arguments):
        result = honest(*arguments)
        result[(0,) * result.ndim] += 1
        return result

    monkeypatch.setattr(reference, operation, dissenting)
    with pytest.raises(
        DisagreementError, match=rf"^basic-float32-exact/stride: .* on {operation} .*at \[0.*direct .*sparse"
    ):
        generate(tmp_path / "suite", "core", ["basic-float32-exact/stride"])
    assert list(tmp_path.iterdir()) == []


def test_an_existing_suite_is_kept_when_generation_fails(monkeypatch, tmp_path):
    generate(tmp_path / "suite", "core", ["worked-example-*"])
    before = digest(tmp_path / "suite")
    monkeypatch.setattr(direct, "grad_weight", lambda x, g, problem: np.zeros(problem.weight_shape, x.dtype))
    with pytest.raises(DisagreementError):
        generate(tmp_path / "suite", "core", ["basic-float32-exact/stride"], force=True)
    assert digest(tmp_path / "suite") == before
    assert [path.name for path in tmp_path.iterdir()] == ["suite"]


def test_of_several_failures_one_is_told_and_the_others_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(sparse, "forward", lambda x, weight, bias, problem: np.zeros(problem.y_shape, x.dtype))
    with pytest.raises(
        DisagreementError, match=r"^[^:]+: the references .*  2 more failed: [\w/-]+, [\w/-]+\.$"
    ) as caught:
        generate(tmp_path / "suite", "core", SMALL)
    for pattern in ("worked-example-", "thin-", "asymmetric-float32-zero-mean/wide-kernel"):
        assert pattern in str(caught.value)


def test_a_folder_that_is_not_free_is_refused(suite_folder):
    with pytest.raises(SuiteError, match="choose another, or use --force"):
        generate(suite_folder, "core", SMALL)


def test_an_unknown_selection_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(CatalogueError, match="no case of tier 'core' matches nothing"):
        generate(tmp_path / "suite", "core", ["nothing"])
    assert list(tmp_path.iterdir()) == []


def test_no_jobs_are_refused(tmp_path):
    with pytest.raises(RefconvError, match="jobs must be 1 or more, got 0"):
        generate(tmp_path / "suite", jobs=0)


def test_an_exact_fill_that_outgrows_its_budget_is_refused(monkeypatch):
    from refconv.generate import consensus

    monkeypatch.setattr(consensus, "BUDGETS", {"float32": 100})  # not that of the fill, which keeps to 2**24
    with pytest.raises(DisagreementError, match="sums of an exact fill must stay within 100"):
        golden_case(cases("core", ["basic-float32-exact/stride"])[0])


@pytest.mark.parametrize("spec", cases("smoke"), ids=lambda spec: spec.id)
def test_golden_cases_pass_the_lint(spec):
    assert list(lint_case(golden_case(spec))) == []


def test_recomputing_a_sound_suite_finds_nothing(suite_folder):
    assert recompute(suite_folder) == []
    assert recompute(suite_folder, jobs=2) == []


@pytest.mark.parametrize("part", ["tensor", "lo", "hi", "magnitude"])
def test_recomputing_finds_a_single_wrong_element(tmp_path, monkeypatch, part):
    """The forger has adjusted all hashes, as a faulty generator would."""
    from refconv.generate import run as running

    def forged(spec):
        case = golden_case(spec)
        array = np.array(getattr(case.expected["y"], part))
        array.view(f"u{array.dtype.itemsize}").flat[3] ^= 1
        object.__setattr__(case.expected["y"], part, array)
        return case

    monkeypatch.setattr(running, "golden_case", forged)
    generate(tmp_path / "suite", "core", ["asymmetric-float32-zero-mean/wide-kernel"])
    findings = recompute(tmp_path / "suite")
    assert findings == [
        f"asymmetric-float32-zero-mean/wide-kernel: y ({part}) must hold what the references compute, but it differs."
    ]


def test_recomputing_finds_a_wrong_number_of_terms(tmp_path, monkeypatch):
    from refconv.generate import run as running

    def forged(spec):
        case = golden_case(spec)
        y = case.expected["y"]
        return replace(case, expected={"y": replace(y, judge=replace(y.judge, terms=3))})

    monkeypatch.setattr(running, "golden_case", forged)
    generate(tmp_path / "suite", "core", ["asymmetric-float32-zero-mean/wide-kernel"])
    (finding,) = recompute(tmp_path / "suite")
    assert re.search(r"wide-kernel: y must state \d\d+ terms, got 3\.$", finding)


def test_recomputing_says_where_the_references_differ_by_now(suite_folder, monkeypatch):
    monkeypatch.setattr(direct, "forward", lambda x, weight, bias, problem: np.zeros(problem.y_shape, x.dtype))
    findings = recompute(suite_folder)
    assert len(findings) == 3
    assert all("the references must agree on forward" in finding for finding in findings)


def test_recomputing_says_where_an_oracle_differs(suite_folder, tmp_path):
    (tmp_path / "mine.py").write_text("def wrong(x, weight, bias=None):\n    return x\n")
    findings = recompute(suite_folder, oracle=f"{tmp_path / 'mine.py'}:wrong")
    case = "worked-example-float32-iota/x3x3-w2x2"
    assert f"{case}: wrong must return shape (1, 1, 2, 2), got (1, 1, 3, 3)." in findings


def test_an_oracle_that_agrees_is_recorded_with_its_deviation():
    exact, real = cases("core", ["thin-float32-exact/row", "asymmetric-float32-zero-mean/wide-kernel"])
    oracle = as_runner(Reference(im2col))
    assert consult(oracle, exact)["forward"] == "equal"
    assert 0 <= float.fromhex(consult(oracle, real)["forward"]) <= 1


@pytest.mark.parametrize("case", ["thin-float32-exact/row", "asymmetric-float32-zero-mean/wide-kernel"])
def test_an_oracle_that_differs_stops_everything(case):
    class Wrong:
        name = "wrong"

        def forward(self, x, weight, bias, problem):
            return im2col.forward(x, weight, bias, problem) * (1 + 2.0**-30)

    spec = cases("core", [case])[0]
    object.__setattr__(spec.row, "operations", ("forward",))
    with pytest.raises(DisagreementError, match=f"{case}: wrong must agree with the references on forward"):
        consult(as_runner(Wrong()), spec)


@pytest.mark.parametrize(
    ("case", "answer", "sentence"),
    [
        ("thin-float32-exact/row", None, r"must answer, but it refuses forward: no such kernel\.$"),
        ("thin-float32-exact/row", np.zeros((1, 1)), r"must return shape \(.*\), got \(1, 1\)"),
        ("illegal-float32-iota/groups-over-inputs", np.zeros(1), "must refuse forward, but it returns a result"),
    ],
)
def test_an_oracle_that_refuses_or_answers_wrongly_stops_everything(case, answer, sentence):
    class Odd:
        name, unchecked = "odd", True

        def forward(self, x, weight, bias, problem):
            if answer is None:
                raise ValueError("no such kernel.")
            return answer

    spec = cases("core", [case])[0]
    object.__setattr__(spec.row, "operations", ("forward",))
    with pytest.raises(DisagreementError, match=sentence):
        consult(as_runner(Odd()), spec)


def test_an_oracle_that_is_not_installed_is_an_error_before_the_work(tmp_path, monkeypatch):
    import builtins

    honest = builtins.__import__

    def without_torch(name, *arguments, **keywords):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'")
        return honest(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    with pytest.raises(ImplementationError, match="pip install torch"):
        generate(tmp_path / "suite", "core", SMALL, oracle="torch")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.oracle
def test_torch_agrees_and_the_provenance_says_so(tmp_path):
    generate(tmp_path / "suite", "core", SMALL, oracle="torch")
    provenance = json.loads((tmp_path / "suite" / "PROVENANCE.json").read_text())
    assert provenance["oracle"] == "torch:float64"
    assert provenance["oracleSays"]["worked-example-float32-iota/x3x3-w2x2"]["forward"] == "equal"
    assert recompute(tmp_path / "suite", oracle="torch") == []
    assert load_implementation("torch").name == "torch"


def test_a_case_that_sees_nothing_is_not_written(monkeypatch, tmp_path):
    from refconv.catalogue import CaseSpec

    honest = CaseSpec.inputs
    monkeypatch.setattr(CaseSpec, "inputs", lambda self: {name: t * 0 for name, t in honest(self).items()})
    with pytest.raises(SuiteError, match=r"basic-float32-exact: nothing was written, since .*zero"):
        generate(tmp_path / "suite", "core", ["basic-float32-exact/stride"])
    assert list(tmp_path.iterdir()) == []
