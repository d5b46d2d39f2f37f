"""The recipe of the extended tier: complete, small, and held against what is made."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from refconv import DisagreementError, RefconvError, SuiteError, load_suite
from refconv.catalogue import VERSION, cases
from refconv.generate import generate, recipe
from refconv.generate.recipe import check_recipe, read_recipe, write_recipe

RUN = import_module("refconv.generate.run")
ONE = "triples-float32-zero-mean/*"
FOUND = next((place for place in recipe.PLACES if place.is_file()), None)
A, B = "a" * 64, "b" * 64


def test_the_recipe_holds_the_tier_and_stays_small():
    assert list(read_recipe()) == [spec.id for spec in cases("extended")]
    assert FOUND.stat().st_size < 3 * 2**20
    assert json.loads(FOUND.read_bytes())["version"] == VERSION


def test_every_case_of_the_recipe_names_its_problem():
    document = json.loads(FOUND.read_bytes())["cases"]
    for spec in cases("extended"):
        entry = document[spec.id]
        assert (entry["problem"], entry["element"], entry["fill"]) == (spec.problem.descriptor, spec.element, spec.fill)


def test_what_is_made_has_the_hashes_of_the_recipe(tmp_path):
    count = generate(tmp_path / "some", "extended", [ONE])
    assert count == len(load_suite(tmp_path / "some")) > 5


def test_a_case_that_differs_is_named_and_nothing_is_written(tmp_path, monkeypatch):
    known = read_recipe()
    spec = cases("extended", [ONE])[1]
    known[spec.id]["y.lo"] = A
    monkeypatch.setattr(RUN, "read_recipe", lambda: known)
    with pytest.raises(DisagreementError, match=f"^{spec.id}: y.lo must have the sha256 {A} of the recipe, got "):
        generate(tmp_path / "some", "extended", [ONE])
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_is_written_of_a_whole_tier_alone(tmp_path):
    for tier, select in (("extended", [ONE]), ("core", ["*"])):
        with pytest.raises(RefconvError, match="a recipe must hold a whole tier"):
            generate(tmp_path / "some", tier, select, recipe=tmp_path / "recipe.json")
    assert list(tmp_path.iterdir()) == []


def test_a_tier_is_made_with_its_recipe(tmp_path, monkeypatch):
    """As if these few were all of it; the other recipe says the same of them."""
    few, known = cases("extended", [ONE]), read_recipe()
    monkeypatch.setattr(RUN, "cases", lambda tier, select=("*",): few)
    generate(tmp_path / "some", "extended", ["as if"], recipe=tmp_path / "recipe.json")
    assert read_recipe(tmp_path / "recipe.json") == {spec.id: known[spec.id] for spec in few}


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"g/new": {"y": A}}, "g/new: the recipe must hold every case"),
        ({"g/known": {"y": B}}, "g/known: y must have the sha256 aaa"),
        ({"g/known": {}}, "y must have .* got None"),
        ({"g/known": {"y": A, "grad_bias": B}}, "grad_bias must have the sha256 None"),
    ],
)
def test_differences_are_refused(made, message):
    with pytest.raises(DisagreementError, match=message):
        check_recipe(made, {"g/known": {"y": A}})


def test_a_written_recipe_is_read_back(tmp_path):
    specs = cases("extended", [ONE])
    hashes = {spec.id: {"y": A} for spec in specs}
    write_recipe(tmp_path / "recipe.json", specs, hashes)
    assert read_recipe(tmp_path / "recipe.json") == hashes


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "other"}', '{"schema": "refconv.recipe.v1", "cases": 3}'])
def test_what_is_no_recipe_is_refused(tmp_path, text):
    (tmp_path / "recipe.json").write_text(text)
    with pytest.raises(SuiteError, match="must be a recipe of schema"):
        read_recipe(tmp_path / "recipe.json")


def test_a_missing_recipe_is_refused():
    with pytest.raises(SuiteError, match="the recipe must be readable"):
        read_recipe(Path("nowhere") / "recipe.json")
