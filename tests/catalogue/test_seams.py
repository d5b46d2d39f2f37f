"""Arrays, seams and layers: they hold what they are named for."""

import math

import pytest

from refconv import ConvProblem
from refconv.catalogue import cases, layers
from refconv.catalogue.arrays import ARRAYS, array_rows
from refconv.catalogue.inputs import BUDGETS
from refconv.catalogue.tails import TAILS, width_tails
from refconv.fills import exact_ranges

CORE = cases("core")


def problems(element, *groups):
    return [spec.problem for spec in CORE if spec.element == element and spec.group.startswith(groups)]


@pytest.mark.parametrize("element", ["float32", "float16", "bfloat16", "int8"])
def test_channels_meet_every_edge_of_every_block_in_every_format(element):
    found = problems(element, "channel-tails-")
    assert {p.in_channels for p in found if max(p.kernel_size) == 1} >= set(TAILS)
    assert {p.out_channels for p in found if max(p.kernel_size) == 1} >= set(TAILS)


@pytest.mark.parametrize("element", ["float32", "float16", "bfloat16", "int8"])
def test_rows_meet_every_edge_of_every_block_under_two_kernels_or_more(element):
    widths = [p.output_size[1] for p in problems(element, "width-tails-")]
    assert all(widths.count(width) >= 2 for width in (*TAILS, 1, 2))


def test_names_of_width_tails_state_their_width():
    for row in width_tails():
        assert int(row.slug.rpartition("-w")[2]) == row.problem.output_size[1]


def test_some_planes_have_more_pixels_than_sixteen_bits_with_a_sign_can_count():
    assert sum(math.prod(spec.problem.input_size) >= 2**15 for spec in CORE) >= 3
    assert any(math.prod(spec.problem.input_size) >= 2**16 for spec in cases("extended"))


@pytest.mark.parametrize("channels", [96, 104, 440, 512, 1024])
def test_deep_reductions_are_there(channels):
    assert channels in {p.in_channels for p in problems("float32", "deep-reductions")}


@pytest.mark.parametrize("name", ["pairs", "triples"])
def test_the_rows_of_an_array_are_distinct_and_named_for_their_problem(name):
    rows = [(row, element, fill) for element, fill in ARRAYS for row in array_rows(name, element, fill)]
    assert len({row.slug for row, _, _ in rows}) == len(rows) > 35
    for row, _, _ in rows:
        descriptor = row.problem.descriptor
        assert row.slug.startswith(descriptor.rpartition("-o")[0].replace("+", "."))
        assert row.bias != row.slug.endswith("-no-bias")


def test_sixteen_bit_and_integer_rows_are_exact_forward_alone():
    assert {row.operations for row in array_rows("pairs", "float16", "exact")} == {("forward",)}
    assert {len(row.operations) for row in array_rows("pairs", "float16", "zero-mean")} == {4}


@pytest.mark.parametrize("network", layers.NETWORKS)
def test_the_layers_of_a_network_are_distinct_and_real(network):
    rows = layers.NETWORKS[network]()
    assert len({row.problem for row in rows}) == len({row.slug for row in rows}) == len(rows) > 1
    assert all("RealNetwork" in row.flags and "forward" in row.operations for row in rows)


@pytest.mark.parametrize(
    ("network", "descriptor"),
    [
        ("resnet50-layers", "n1c3i224x224-k64w7x7-s2x2-d1x1-p3+3x3+3-g1-o112x112"),
        ("resnet50-layers", "n1c512i7x7-k512w3x3-s1x1-d1x1-p1+1x1+1-g1-o7x7"),
        ("mobilenet-v2-layers", "n1c144i56x56-k144w3x3-s2x2-d1x1-p1+1x1+1-g144-o28x28"),
        ("mobilenet-v3-layers", "n1c672i14x14-k672w5x5-s2x2-d1x1-p2+2x2+2-g672-o7x7"),
        ("efficientnet-b0-layers", "n1c144i56x56-k144w5x5-s2x2-d1x1-p1+2x1+2-g144-o28x28"),
        ("convnext-t-layers", "n1c768i7x7-k768w7x7-s1x1-d1x1-p3+3x3+3-g768-o7x7"),
        ("unet-down-layers", "n1c512i14x14-k1024w3x3-s1x1-d1x1-p0+0x0+0-g1-o12x12"),
        ("unet-input-layers", "n1c1i284x284-k64w3x3-s1x1-d1x1-p0+0x0+0-g1-o282x282"),
        ("yolov3-tiny-layers", "n1c1024i13x13-k256w1x1-s1x1-d1x1-p0+0x0+0-g1-o13x13"),
    ],
)
def test_layers_that_the_papers_name_are_there(network, descriptor):
    assert ConvProblem.from_descriptor(descriptor) in [row.problem for row in layers.NETWORKS[network]()]


def test_the_up_convolutions_end_where_the_figure_says():
    assert layers.unet_up()[-1].problem.input_size == (100, 100)  # 388 for an input of 572


@pytest.mark.parametrize("spec", [s for s in cases("extended") if s.fill == "exact"], ids=lambda spec: spec.id)
def test_every_exact_fill_of_extended_has_room_for_more_than_ones(spec):
    ranges = exact_ranges(spec.problem, spec.in_format, BUDGETS[spec.out_format.name], spec.has_bias)
    assert max(ranges.x, ranges.weight) > 1
