import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from refconv import CatalogueError, DisagreementError, RefconvError, SuiteError
from refconv.cli import commands
from refconv.generate import accumulate as module
from refconv.generate.accumulate import accumulate, check_known, known_hash
from refconv.generate.stream import BLOCK, FAMILIES, blocks, geometry, results, tensors
from refconv.problem import OPERATIONS
from refconv.reference import direct

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "accumulated.py"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_committed_hashes_are_computed_again(family):
    for count in (100, 10_000):
        assert known_hash(family, count) == accumulate(family, count).sha256


@pytest.mark.parametrize("family", FAMILIES)
def test_a_million_is_committed(family):
    assert len(known_hash(family, 1_000_000)) == 64


@pytest.mark.parametrize("family", FAMILIES)
def test_the_recipe_alone_gives_the_same_hash(family):
    done = subprocess.run([sys.executable, EXAMPLE, family, "100"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == known_hash(family, 100)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_case_in_the_block_is_the_case_alone(family):
    problem, cases = geometry(family, 1), range(BLOCK, BLOCK + 3)
    drawn = tensors(family, cases, problem)
    found = results(drawn, problem)
    for place in range(3):
        t = {name: values[place] for name, values in drawn.items()}
        assert (t["x"] != 0).all()
        expected = {
            "forward": direct.forward(t["x"], t["weight"], t["bias"], problem),
            "grad_input": direct.grad_input(t["grad_output"], t["weight"], problem),
            "grad_weight": direct.grad_weight(t["x"], t["grad_output"], problem),
            "grad_bias": direct.grad_bias(t["grad_output"], problem),
        }
        for operation in OPERATIONS:
            np.testing.assert_array_equal(found[operation][place], expected[operation])


def test_no_sum_of_magnitudes_reaches_the_precision_of_float32():
    for family in FAMILIES:
        for block in range(300):
            problem = geometry(family, block)
            terms = max(problem.reduction_length(operation) for operation in OPERATIONS)
            assert 127 * 127 * terms + 127 < 2**24


def test_blocks_end_where_the_geometry_changes():
    assert list(blocks(range(60, 130))) == [range(60, 64), range(64, 128), range(128, 130)]


def test_two_workers_and_any_portions_give_the_same_hash(monkeypatch):
    whole = accumulate("grouped", 1000).sha256
    assert accumulate("grouped", 1000, jobs=2).sha256 == whole
    monkeypatch.setattr(module, "CHUNK", BLOCK)
    assert accumulate("grouped", 1000).sha256 == whole


def test_a_stopped_run_goes_on_from_its_checkpoint(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "CHUNK", 2 * BLOCK)
    path, honest, seen = tmp_path / "here.json", module.fold, []

    def stopped(portion):
        seen.append(portion.start)
        if portion.start == 6 * BLOCK:
            raise KeyboardInterrupt
        return honest(portion)

    monkeypatch.setattr(module, "fold", stopped)
    with pytest.raises(KeyboardInterrupt):
        accumulate("plain", 1000, checkpoint=path)
    assert json.loads(path.read_text())["done"] == 6 * BLOCK
    seen.clear()
    monkeypatch.setattr(module, "fold", lambda portion: (seen.append(portion.start), honest(portion))[1])
    assert accumulate("plain", 1000, checkpoint=path).sha256 == accumulate("plain", 1000).sha256
    assert seen[0] == 6 * BLOCK


HEAD = '{"schema": "refconv.accumulated.v1", "family": "plain", "implementation": null'


@pytest.mark.parametrize(
    "content",
    [
        "", "{}", "[1]", '"text"', "null", HEAD + "}", HEAD + ', "x": 1}', HEAD + ', "state": "00"}',
        HEAD + f', "state": "{"00" * 32}", "done": "64"}}', HEAD + f', "state": "{"00" * 32}", "done": -64}}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "here.json"
    path.write_text(content)
    with pytest.raises(SuiteError, match="must be a checkpoint of refconv accumulate"):
        accumulate("plain", 100, checkpoint=path)
    assert path.read_text() == content


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "here.json"
    accumulate("plain", 128, checkpoint=path)
    with pytest.raises(SuiteError, match="must be a checkpoint of this run, got plain, 128 cases"):
        accumulate("grouped", 200, checkpoint=path)
    with pytest.raises(SuiteError, match="must be a checkpoint of this run"):
        accumulate("plain", 64, checkpoint=path)


def test_a_checkpoint_that_cannot_be_written_is_one_sentence(tmp_path):
    place = tmp_path / "missing" / "state.json"
    with pytest.raises(SuiteError, match=r"state\.json: the checkpoint must be written here, got 'No such file or dir"):
        accumulate("plain", 128, checkpoint=place)
    assert not list(tmp_path.iterdir())


def test_a_wrong_hash_is_a_disagreement():
    with pytest.raises(DisagreementError, match="the sha256 of 100 cases must be"):
        check_known("plain", 100, "0" * 64)
    assert not check_known("plain", 101, "0" * 64)


def test_a_checkpoint_of_another_schema_is_refused(tmp_path):
    path = tmp_path / "here.json"
    accumulate("plain", 64, checkpoint=path)
    path.write_text(path.read_text().replace(module.SCHEMA, "refconv.accumulated.v2"))
    with pytest.raises(SuiteError, match="must be a checkpoint of refconv accumulate"):
        accumulate("plain", 64, checkpoint=path)


def test_a_portion_that_fails_is_named(monkeypatch):
    def full(family, cases):
        raise MemoryError("no room for 7 GiB")

    monkeypatch.setattr(module, "digest", full)
    with pytest.raises(
        RefconvError, match=r"^plain, cases 0 to 69: the work failed with MemoryError: no room for 7 GiB"
    ):
        accumulate("plain", 70)


def test_an_unknown_family_is_refused():
    with pytest.raises(CatalogueError, match="family must be one of plain, asymmetric"):
        accumulate("round", 1)


def test_no_cases_are_no_hash():
    with pytest.raises(RefconvError, match="count must be 1 or more, got 0"):
        accumulate("plain", 0)


def test_a_right_implementation_passes_every_case():
    found = accumulate("asymmetric", 70, implementation="im2col", isolate=False)
    assert (found.asked, found.wrong) == (280, 0)
    assert found.sha256 == accumulate("asymmetric", 70).sha256


def test_a_wrong_implementation_is_told_where(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("import refconv\n\ndef conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0), "
                    "dilation=(1, 1), groups=1):\n    y = refconv.conv2d(x, weight, bias, stride, padding, dilation, "
                    "groups)\n    y[0, 0, -1, -1] += len(y) == 2\n    return y\n")  # fmt: skip
    result = CliRunner().invoke(
        commands, ["accumulate", "--family", "plain", "--count", "70", "--check", f"{path}:conv2d"],
        standalone_mode=False,
    )  # fmt: skip
    assert result.return_value == 1
    assert "wrong: plain/0: forward[0, 0, 3, 3] must be" in result.output
    assert "70 operations, 64 of them wrong" in result.output


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("1 / 0", r"plain/0: forward: broke down with ZeroDivisionError at mine\.py:2: division by zero"),
        ("x[:, :0]", r"plain/0: forward must have shape \(2, 1, 4, 4\), got \(2, 0, 3, 2\) \(n2c2i3x2-"),
    ],
)
def test_an_implementation_that_fails_or_gives_another_shape_is_wrong(tmp_path, answer, sentence):
    path = tmp_path / "mine.py"
    path.write_text("def conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):\n"
                    f"    return {answer}\n")  # fmt: skip
    found = accumulate("plain", 1, implementation=f"{path}:conv2d", isolate=False)
    assert (found.asked, found.wrong) == (1, 1)
    assert re.match(sentence, found.examples[0])


def test_an_implementation_that_does_not_start_is_one_sentence():
    with pytest.raises(Exception, match="nowhere") as caught:
        accumulate("plain", 1, implementation="nowhere:at_all")
    assert "\n" not in str(caught.value)
