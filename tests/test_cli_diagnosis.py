import json

import pytest

from refconv.cli import commands

LAYER = """
import numpy as np
from refconv import conv2d as right

def conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    return right(x, weight[..., ::-1], bias, stride=stride, padding=padding, dilation=dilation, groups=groups)

class Nothing:
    def forward(self, x, weight, bias, problem):
        raise NotImplementedError
"""


@pytest.fixture
def layer(tmp_path, monkeypatch):
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(tmp_path / "hypothesis"))
    path = tmp_path / "layer_for_the_hunt.py"
    path.write_text(LAYER)
    return path


def run(*words):
    return commands.main([str(word) for word in words], standalone_mode=False)


def test_hunt_prints_a_program_that_fails_and_saves_the_case(layer, tmp_path, capsys):
    pytest.importorskip("hypothesis")
    case = tmp_path / "case.json"
    assert run("hunt", f"{layer}:conv2d", "--seconds", 20, "--save", case) == 1
    out = capsys.readouterr().out
    assert "n1c1i1x1-k1w1x2" in out
    program = out.partition("Reproduce\n")[2]
    with pytest.raises(AssertionError):
        exec(program, {})
    assert json.loads(case.read_text())["operation"] == "forward"
    assert run("hunt", f"{layer}:conv2d", "--case", case) == 1
    assert run("hunt", "im2col", "--case", case) == 0


def test_hunting_where_nothing_is_supported_is_not_success(layer, capsys):
    pytest.importorskip("hypothesis")
    assert run("hunt", f"{layer}:Nothing", "--seconds", 1) == 3
    assert "nothing was executed" in capsys.readouterr().out


def test_fingerprint_suggests_a_class(capsys):
    assert run("fingerprint", "im2col", "--dtypes", "float32") == 0
    assert "--class standard:float32" in capsys.readouterr().out


def test_fingerprint_prints_json(capsys):
    assert run("fingerprint", "im2col", "--dtypes", "float64", "--json") == 0
    assert json.loads(capsys.readouterr().out)["suggested"] == {"float64": "standard:float64"}


def test_fingerprint_of_nothing_is_not_success(layer, capsys):
    assert run("fingerprint", f"{layer}:Nothing", "--dtypes", "float64") == 3
    out = capsys.readouterr().out
    assert out.count("not measured") == 1  # though there are several shapes
    assert "not measured: float64 in every shape (" in out
