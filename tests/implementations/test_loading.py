import sys
from importlib.metadata import EntryPoint

import pytest

from refconv import ImplementationError
from refconv.implementations import engines, load_implementation, loading

GOOD = """
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return x

def conv2d_backward(grad_output, x, weight):
    return None, None, grad_output.sum(axis=(0, 2, 3))
"""


def test_our_own_engines_are_found_like_anybody_elses():
    assert {"direct", "sparse", "im2col", "torch"} <= set(engines())


@pytest.mark.parametrize("name", ["direct", "sparse", "im2col"])
def test_the_references_go_by_name(name):
    assert load_implementation(name).name == name


def test_a_file_with_its_backward_function(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    runner = load_implementation(f"{path}:conv2d")
    assert runner.name == "conv2d"
    assert runner.backward.__name__ == "conv2d_backward"


def test_a_file_may_import_its_neighbours(tmp_path):
    (tmp_path / "neighbour_of_mine.py").write_text(GOOD)
    (tmp_path / "front.py").write_text("from neighbour_of_mine import conv2d, conv2d_backward\n")
    assert load_implementation(f"{tmp_path / 'front.py'}:conv2d").backward is not None


def test_a_module_of_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "package_of_mine.py").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert load_implementation("package_of_mine:conv2d").name == "conv2d"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "nothing",
            r"must be a known engine \(.*im2col.*\), .*, or path/library.so, got 'nothing'",
        ),
        ("im2col:fast", "im2col takes no option, got im2col:fast"),
        ("no_such_package:f", "no_such_package must be importable, got ModuleNotFoundError"),
        ("missing.py:f", r"missing\.py must be a Python file, but there is none"),
        ("math:conv2d", "math must define conv2d, but it has no such name"),
        ("math:pi", "an implementation must be a function"),
        (":f", "must be a known engine"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_sentence(text, message):
    with pytest.raises(ImplementationError, match=message):
        load_implementation(text)


def test_a_file_that_fails_is_told_with_its_error(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("import math\nmath.factorial(-1)\n")
    with pytest.raises(ImplementationError, match=r"must be importable, got ValueError at broken\.py:2: factorial\(\)"):
        load_implementation(f"{path}:conv2d")


@pytest.mark.oracle
def test_torch_options():
    assert load_implementation("torch:float64").name == "torch:float64"
    with pytest.raises(
        ImplementationError, match="option of torch must be one of cuda, native, channels_last, float64"
    ):
        load_implementation("torch:float128")
    with pytest.raises(ImplementationError, match="torch:cuda needs a CUDA device"):
        load_implementation("torch:cuda")


def test_a_near_miss_is_told_what_was_meant(tmp_path):
    path = tmp_path / "fw.py"
    path.write_text("def helper():\n    pass\n" + GOOD)
    with pytest.raises(ImplementationError, match=r"did you mean .*fw\.py:conv2d\?"):
        load_implementation(str(path))
    for name, told in (("kernel.cpp", "a source is compiled first"), ("x.mjs", "behind two dashes, as in .* -- ")):
        (tmp_path / name).touch()
        with pytest.raises(ImplementationError, match=told):
            load_implementation(str(tmp_path / name))
    for text, meant in (("pytorch", "torch"), ("im2cols", "im2col")):
        with pytest.raises(ImplementationError, match=f"did you mean {meant}\\?"):
            load_implementation(text)


def test_a_checkout_that_is_not_installed_knows_its_engines_all_the_same(tmp_path, monkeypatch):
    other = EntryPoint("theirs", "theirs:create", loading.GROUP)
    monkeypatch.setattr(loading, "entry_points", lambda group: [other])
    monkeypatch.setattr(loading, "__file__", str(tmp_path / "refconv" / "implementations" / "loading.py"))
    loading._of_a_checkout.cache_clear()
    assert engines() == {"theirs": other}  # there is nothing beside it
    (tmp_path / "pyproject.toml").write_text(f'[project.entry-points."{loading.GROUP}"]\nmine = "mine.engine:create"\n')
    loading._of_a_checkout.cache_clear()
    assert {name: point.value for name, point in engines().items()} == {
        "mine": "mine.engine:create", "theirs": "theirs:create"
    }  # fmt: skip
    loading._of_a_checkout.cache_clear()


def test_a_file_without_functions_has_none_to_suggest(tmp_path):
    path = tmp_path / "constants.py"
    path.write_text("pi = 3\n")
    with pytest.raises(ImplementationError) as caught:
        load_implementation(str(path))
    assert "constants.py:" not in str(caught.value)
