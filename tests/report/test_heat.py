from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refconv.judge import judge_tensor
from refconv.report.heat import heat_maps, patch, pattern


def wrong(outcome, shape, *places, bound=None, operation="forward"):
    truth = np.full(shape, 3.0)
    got = truth.copy()
    for place, error in places:
        got[place] += error
    interval = (truth - bound, truth + bound) if bound else ()
    return outcome(operation=operation, status="FAIL", verdict=judge_tensor(got, truth, *interval))


def test_the_levels_of_a_map_are_errors_in_units_of_the_bound(outcome):
    failing = wrong(outcome, (1, 1, 2, 3), ((0, 0, 0, 1), 0.4), ((0, 0, 1, 0), 1.0), ((0, 0, 1, 2), 99.0), bound=0.5)
    (heat,) = heat_maps(failing)
    assert heat.paths == ((1, "M1 0h1v1h-1z"), (2, "M0 1h1v1h-1z"), (5, "M2 1h1v1h-1z"))
    assert dict(heat.legend) == {0: "no error", 1: "allowed", 2: "up to 2", 5: "over 100"}
    assert heat.ring == (1, 0)


def test_where_equality_is_asked_for_the_levels_are_shares_of_wrong_elements(outcome):
    failing = wrong(outcome, (2, 2, 2, 3), (np.s_[:, :, 0, 0], 1.0), ((1, 0, 1, slice(1, 3)), 1.0))
    positions, planes = heat_maps(failing)
    assert positions.paths == ((2, "M1 1h2v1h-2z"), (5, "M0 0h1v1h-1z"))
    assert (planes.rows, planes.columns) == (2, 2)
    assert "wrong elements" in positions.title


def test_every_wrong_position_is_on_the_map_once(outcome):
    rng = np.random.default_rng(3)
    places = [((0, 0, row, column), 1.0) for row, column in np.argwhere(rng.random((20, 30)) < 0.3)]
    (heat,) = heat_maps(wrong(outcome, (1, 1, 20, 30), *places))
    covered = np.zeros((20, 30), int)
    for _, path in heat.paths:
        for piece in path.split("z")[:-1]:
            corner, rest = piece[1:].split("h", 1)
            column, row = map(int, corner.split())
            covered[row, column : column + int(rest.split("v")[0])] += 1
    assert covered.max() == 1
    assert {tuple(place[2:]) for place, _ in places} == set(map(tuple, np.argwhere(covered)))


@pytest.mark.parametrize(
    ("operation", "shape", "place", "words"),
    [
        ("forward", (2, 4, 3, 5), np.s_[:, 1::2, 2, :], "all 2 images; output channels 1, 3 of 4; row 2 of 3; all 5"),
        ("grad_input", (1, 4, 3, 5), np.s_[:, :, :, 0:4], "all 4 input channels; all 3 rows; columns 0–3 of 5"),
        ("grad_weight", (4, 2, 3, 3), np.s_[3, 0, 1, 1],
         "output channel 3 of 4; channel of the group 0 of 2; kernel row 1 of 3; kernel column 1 of 3"),
        ("grad_bias", (9,), np.s_[::3], "output channels 0, 3, 6 (every 3rd) of 9"),
    ],
)  # fmt: skip
def test_a_sentence_tells_what_is_wrong_along_each_axis(outcome, operation, shape, place, words):
    assert pattern(wrong(outcome, shape, (place, 1.0), operation=operation)).startswith(f"Wrong: {words}")


def test_the_patch_sets_expected_beside_got(outcome):
    failing = wrong(outcome, (1, 2, 4, 5), ((0, 1, 3, 4), 0.5))
    found = patch(failing)
    assert (found.title, found.columns) == ("image 0, output channel 1", [0, 1, 2, 3, 4])
    row, expected, got = found.rows[-1]
    assert (row, expected[-1], got[-1], got[0]) == (3, "3", ("3.5", True), ("3", False))


def test_numbers_that_are_none_are_shown(outcome):
    failing = wrong(outcome, (1, 1, 1, 2), ((0, 0, 0, 0), np.nan), ((0, 0, 0, 1), -np.inf), bound=0.5)
    assert [text for text, _ in patch(failing).rows[0][2]] == ["nan", "-inf"]
    assert heat_maps(failing)[0].legend[-1][0] == 5


@pytest.mark.parametrize("status", ["ERROR", "PASS"])
def test_without_wrong_numbers_there_is_nothing_to_draw(outcome, status):
    assert (heat_maps(outcome(status=status)), pattern(outcome(status=status)), patch(outcome(status=status))) == (
        [],
        "",
        None,
    )


def test_a_violation_of_the_whole_tensor_has_no_place(outcome, failure):
    verdict = replace(failure().verdict, closeup=None, wrong=0, first=None, violation="the mean is off")
    assert heat_maps(replace(failure(), verdict=verdict)) == []
