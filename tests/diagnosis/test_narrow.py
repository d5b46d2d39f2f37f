"""One defect is left, and two problems have shown it; or none is left."""

from dataclasses import replace

import numpy as np
import pytest

from refconv.diagnosis.defects import triggered_defects
from refconv.diagnosis.find import candidates, matched
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.narrow import _pool, narrowed
from refconv.diagnosis.observe import observe_one
from refconv.diagnosis.probes import probe_of
from refconv.implementations import as_runner
from refconv.problem import ConvProblem


def seen_once(layer, problem, element="float32"):
    """Return a runner, and what is seen of its forward pass on one problem."""
    runner = as_runner(layer)
    return runner, matched([observe_one(runner, "forward", probe_of(problem, element))])


def example(slug):
    return ConvProblem.from_descriptor(triggered_defects()[slug].example)


@pytest.mark.parametrize("element", ["float32", "float16"])
@pytest.mark.parametrize("slug", ["lone-last-output-skipped", "padding-wider-than-kernel", "stride-beyond-kernel"])
def test_a_defect_that_one_problem_has_shown_is_shown_by_a_second_one(slug, element):
    runner, items = seen_once(triggered_defects()[slug](), example(slug), element)
    assert slug in candidates(items)
    more = narrowed(runner, "forward", items, 60)
    assert candidates([*items, *more]) == {slug}
    assert sum(bool(item.wrong) for item in more) == 1
    assert len({item.problem for item in (*items, *more)}) == 1 + len(more)  # each is another one


def test_what_is_right_elsewhere_is_no_defect():
    slug = "lone-last-output-skipped"

    class OnThisOne(Layer):
        def forward(self, x, weight, bias, problem):
            layer = triggered_defects()[slug]() if problem == example(slug) else super()
            return layer.forward(x, weight, bias, problem)

    runner, items = seen_once(OnThisOne(), example(slug))
    more = narrowed(runner, "forward", items, 60)
    assert [bool(item.wrong) for item in more] == [False] * len(more)
    assert candidates([*items, *more]) == set()
    assert len(more) < 5  # nothing is asked once nobody is left


def test_without_time_or_names_nothing_more_is_asked():
    runner, items = seen_once(triggered_defects()["stride-beyond-kernel"](), example("stride-beyond-kernel"))
    assert narrowed(runner, "forward", items, -1) == []

    class Sevens(Layer):
        def forward(self, x, weight, bias, problem):
            return np.full(problem.y_shape, 7, x.dtype)

    runner, items = seen_once(Sevens(), example("stride-beyond-kernel"))
    assert narrowed(runner, "forward", items, 60) == []


@pytest.mark.parametrize(("element", "largest"), [("float32", 3000), ("float16", 1502)])
def test_problems_whose_sums_are_not_exact_are_left_out(element, largest):
    long = probe_of(ConvProblem.from_descriptor("n1c1500i1x1-k1w1x1-s1x1-d1x1-p0+0x0+0-g1-o1x1"), element)
    _, (item,) = seen_once(triggered_defects()["stride-beyond-kernel"](), example("stride-beyond-kernel"), element)
    item = replace(item, probe=long.name, problem=long.problem.descriptor)
    assert max(probe.problem.weight_shape[1] for probe in _pool("forward", [item], set())) == largest
