"""What no model explains is recovered and described; the description, read back, is what was computed."""

import math
import re

import numpy as np
import pytest
from read_back import function_of, says_what_it_does

from refconv.diagnosis.defects import all_defects, triggered_defects
from refconv.diagnosis.difference import difference, difference_of_linear
from refconv.diagnosis.drawing import draw
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.products import ABSENT, slots_of
from refconv.diagnosis.recover import ordinary, recover
from refconv.diagnosis.sentences import sentences
from refconv.problem import OPERATIONS, ConvProblem

# Small, and every structural defect shows on one of them.
PROBLEMS = [
    ConvProblem.from_descriptor(text)
    for text in (
        "n2c4i6x5-k6w2x3-s2x1-d1x2-p1+0x2+1-g2-o3x4",
        "n2c5i5x7-k6w3x2-s1x2-d1x1-p0+0x1+0-g1-o3x4",
        "n3c3i5x6-k6w1x1-s2x3-d1x1-p1+0x2+1-g3-o3x3",
        "n2c2i8x9-k4w4x5-s2x3-d1x1-p6+1x6+2-g2-o6x5",
        "n2c1i5x7-k2w1x2-s1x1-d1x1-p0+0x0+0-g1-o5x6",
    )
]
VALUES = ("rounded", "truncated", "saturated", "wrapped-to", "results-clipped")


def is_structural(slug):
    defect = all_defects()[slug]
    return not defect.stateful and not any(word in slug for word in VALUES)


STRUCTURAL = [slug for slug in all_defects() if is_structural(slug)]


def first_showing(layer, operation):
    for problem in PROBLEMS:
        inputs = ordinary(operation, problem, "shows")
        results = [function_of(it, operation, problem)(inputs) for it in (layer, Layer())]
        if not np.array_equal(*results):
            return problem
    return None


def assert_described(layer, operation, problem, dtype=np.float64):
    """Recover an operation, describe it, and compute with the description."""
    function = function_of(layer, operation, problem, dtype)
    recovery = recover(operation, problem, function, seconds=60, largest=2**22 if dtype != np.float16 else 0)
    assert recovery.faithful, recovery.remark
    found = [difference(operation, recovery.products, recovery.linear)] if operation != "grad_bias" else []
    found += [difference_of_linear(recovery.linear, *found)] if recovery.linear else []
    assert all(item.exact for item in found), (operation, problem.descriptor)
    assert any(sentences(item, problem) for item in found)
    assert says_what_it_does(found, function, operation, problem)


@pytest.mark.slow
@pytest.mark.parametrize("slug", STRUCTURAL[::4])  # all of them by scripts/diagnosis_power.py without
def test_a_defect_is_described_without_its_model(slug):
    problems = {name: first_showing(all_defects()[slug](), name) for name in all_defects()[slug].operations}
    assert any(problems.values())
    for operation, problem in problems.items():
        if problem:
            assert_described(all_defects()[slug](), operation, problem)


SMALL = [
    slug for slug, defect in triggered_defects().items()
    if max(math.prod(ConvProblem.from_descriptor(defect.example).shape_of(name)) for name in ("x", "weight", "y")) < 500
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("slug", SMALL[::8])
def test_a_triggered_defect_is_described_without_its_model(slug):
    defect = triggered_defects()[slug]
    for operation in defect.operations:
        assert_described(defect(), operation, ConvProblem.from_descriptor(defect.example), np.dtype(defect.dtype))


def test_a_defect_of_very_many_images_is_described_without_its_model():
    problem = ConvProblem.from_descriptor("n65536c1i1x1-k1w1x1-s1x1-d1x1-p0+0x0+0-g1-o1x1")
    assert_described(triggered_defects()["images-beyond-grid-forward"](), "forward", problem, np.float32)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_true_layer_differs_in_nothing(operation):
    recovery = recover(operation, PROBLEMS[0], function_of(Layer(), operation, PROBLEMS[0]))
    assert recovery.faithful
    if operation != "grad_bias":
        assert recovery.products.same(slots_of(PROBLEMS[0]).products())
        found = difference(operation, recovery.products)
        assert (found.wrong, found.exact, sentences(found, PROBLEMS[0])) == (0, True, [])


def described(layer, operation="forward", problem=PROBLEMS[0]):
    recovery = recover(operation, problem, function_of(layer, operation, problem))
    found = difference(operation, recovery.products, recovery.linear)
    return found, " ".join(sentences(found, problem))


def test_a_part_of_the_outputs_may_go_wrong():
    class OddColumns(Layer):
        def taps(self, problem, axis):
            taps = super().taps(problem, axis)
            return taps - (np.arange(len(taps)) % 2 == 1)[:, None] if axis == 1 else taps

    found, text = described(OddColumns())
    assert found.exact
    assert text == "Where ow % 2 == 1 (odd), x is read 1 column too far to the left."


def test_taps_of_some_outputs_may_be_missing():
    class LastColumn(Layer):
        def pixels(self, problem):
            table = super().pixels(problem).reshape(*problem.output_size, *problem.kernel_size).copy()
            table[:, -1, :, 1:] = ABSENT
            return table.reshape(super().pixels(problem).shape)

    found, text = described(LastColumn(), problem=PROBLEMS[3])
    assert found.exact
    assert text == "Outputs where ow == 4 (the last) miss the taps where 1 <= kw <= 2."  # the others lie on the padding


class MovesWindows(Layer):
    """Computes the outputs of one row of tiles after another, counting the tiles in a row wrongly; or swaps some."""

    tile, taken = (2, 2), 1

    def __init__(self, swapped=None):
        self.swapped = swapped

    def pixels(self, problem):
        table, (height, width) = super().pixels(problem), problem.output_size
        moved = np.full_like(table, ABSENT)
        for oh, ow in np.ndindex(height, width):
            tile = oh // self.tile[0] * -(-width // self.tile[1]) + ow // self.tile[1]
            row = tile // self.taken * self.tile[0] + oh % self.tile[0]
            column = tile % self.taken * self.tile[1] + ow % self.tile[1]
            if self.swapped:
                row, column = self.swapped.get((oh, ow), (oh, ow))
            if row < height and column < width:
                moved[oh * width + ow] = table[row * width + column]
        return moved


def test_a_wrong_count_of_tiles_is_told():
    found, text = described(MovesWindows())
    assert found.exact
    assert text == "The number of an output's tile (2 x 2) is taken apart by 1 to a row, where there are 2."


def test_outputs_that_get_the_windows_of_others_are_told():
    cycle = [(0, 1), (2, 2), (1, 3), (0, 2), (1, 0)]
    found, text = described(MovesWindows(dict(zip(cycle, cycle[1:] + cycle[:1], strict=True))))
    assert found.exact
    assert text.startswith(
        "Outputs (oh, ow) read the windows of others: (0, 1) that of (2, 2), (0, 2) that of (1, 0), "
    )
    assert text.count(" that of ") == 5


def test_a_part_of_the_weights_may_lie_in_another_order():
    class TailInColumns(Layer):
        def places(self, tensor, problem):
            table = super().places(tensor, problem)
            if tensor == "weight":
                tail = table[4:]
                tail[:] = tail.reshape(-1, len(tail)).T.reshape(tail.shape)
            return table

    found, text = described(TailInColumns())
    assert found.exact
    assert text == (
        "Where k >= 4 (beyond the last multiple of 4), the memory of weight is used at k + c*12 + kh*6 + kw*2 + 44, "
        "where it must be k*12 + c*6 + kh*3 + kw."
    )


@pytest.mark.parametrize("step", [8, -8])
def test_filters_that_are_thought_to_be_aligned_are_told(step):
    class Aligned(Layer):
        def places(self, tensor, problem):
            table = super().places(tensor, problem)
            start = table.min(axis=(1, 2, 3), keepdims=True)
            return start // step * step + table - start if tensor == "weight" else table

    problem = ConvProblem.from_descriptor("n1c3i4x4-k7w3x3-s1x1-d1x1-p0+0x0+0-g1-o2x2")
    found, text = described(Aligned(), problem=problem)
    assert found.exact
    way = "down" if step > 0 else "up"
    assert (
        text == f"In the memory of weight, each k (27 elements) is thought to start at a multiple of 8, rounded {way}."
    )


@pytest.mark.parametrize(
    ("channels", "order", "words"),
    [
        (12, np.arange(12).reshape(3, 4).T.ravel(), "k % 3 * 4 + k // 3"),
        (16, np.arange(16).reshape(2, 4, 2).swapaxes(1, 2).ravel(), "k // 8 * 8 + k % 4 * 2 + k % 8 // 4"),
        (4, np.array([0, 2, 1, 3]), "1 becomes 2, 2 becomes 1"),
    ],
)
def test_channels_that_are_taken_crosswise_are_told(channels, order, words):
    class Crosswise(Layer):
        def places(self, tensor, problem):
            table = super().places(tensor, problem)
            return table[order] if tensor == "weight" else table

    problem = ConvProblem.from_descriptor(f"n1c2i2x3-k{channels}w1x2-s1x1-d1x1-p0+0x0+0-g1-o2x2")
    found, text = described(Crosswise(), problem=problem)
    assert found.exact
    assert text.startswith("The weight is taken from")  # not: the result is written to, since the bias is not
    assert words in text


class PadsWith(Layer):
    def __init__(self, value):
        self.padding_value = value


@pytest.mark.parametrize(("value", "what"), [(1, "a one"), (3, "3"), (-0.5, "-0.5")])
@pytest.mark.parametrize("operation", ["forward", "grad_weight"])
def test_a_padding_of_something_else_than_zeros_is_told(operation, value, what):
    found, text = described(PadsWith(value), operation)
    assert text == f"In addition, {what} is read instead of zero where the window lies on the padding."
    assert_described(PadsWith(value), operation, PROBLEMS[0])
    assert draw(found, PROBLEMS[0]) is None  # no element of x is read wrongly


class BiasOfAll(Layer):
    """Adds the bias of all channels to every y, but for the rows up to one."""

    def __init__(self, first=0):
        self.first = first

    def add_bias(self, y, bias, problem):
        rows = np.arange(y.shape[-1]) // problem.output_size[1]
        return y + np.where(rows >= self.first, bias.sum(), 0)

    def grad_bias(self, grad_output, problem):
        return np.full(problem.out_channels, grad_output[:, :, self.first :].sum())


@pytest.mark.parametrize(
    ("operation", "what"), [("forward", "Every y adds the bias"), ("grad_bias", "Grad_bias adds up grad_output")]
)
@pytest.mark.parametrize(("first", "but"), [(0, ""), (1, ", except where oh == 0 (the first)")])
def test_a_bias_of_all_channels_is_told(operation, what, first, but):
    recovery = recover(operation, PROBLEMS[0], function_of(BiasOfAll(first), operation, PROBLEMS[0]))
    found = difference_of_linear(recovery.linear)
    assert sentences(found, PROBLEMS[0]) == [
        f"{what} of all channels{but}, where it must be that of the own channel k."
    ]
    assert_described(BiasOfAll(first), operation, PROBLEMS[0])
    assert draw(found, PROBLEMS[0]) is None


def test_a_bias_without_pattern_is_listed():
    class Scattered(Layer):
        def add_bias(self, y, bias, problem):
            return y + (np.arange(y[0].size * len(bias)) % 7 % 3 % 2).reshape(-1, len(bias)).dot(bias).reshape(
                y[0].shape
            )

    recovery = recover("forward", PROBLEMS[0], function_of(Scattered(), "forward", PROBLEMS[0]))
    (text,) = sentences(difference_of_linear(recovery.linear), PROBLEMS[0])
    wrong, all_of_them = map(int, re.findall(r"\d+", text)[:2])
    assert 144 < wrong < all_of_them < 6 * 144
    assert "pairs of output and bias are not the right ones, among them those at n=0, k=0, oh=0, ow=0, kb=0; " in text
    assert "tile" not in text


@pytest.mark.parametrize(
    "factor",
    [
        lambda shape: 1 + np.arange(math.prod(shape)).reshape(shape) * 7 % 5 % 2,
        lambda shape: 1 + np.indices(shape)[0],  # six: too many to be said
    ],
)
def test_factors_without_pattern_are_listed(factor):
    class Scaled(Layer):
        def operand(self, name, tensor):
            return tensor * factor(tensor.shape) if name == "weight" else tensor

    found, text = described(Scaled())
    assert (found.exact, found.parts) == (False, ())
    assert text.startswith("No pattern was found: ")


def test_ones_on_a_part_of_the_padding_without_pattern_are_listed():
    class Ones(Layer):
        def _patches(self, x, problem):
            patches, outside = super()._patches(x, problem), self.pixels(problem) == ABSENT
            patches[..., outside] = np.arange(outside.sum()) % 7 % 3 % 2
            return patches

    found, text = described(Ones())
    assert (found.exact, found.parts, found.wrong < found.slots) == (False, (), True)
    assert text.startswith(f"No pattern was found: {found.wrong} of {found.slots} products are not the right ones")


def test_places_beyond_the_image_that_are_read_from_the_next_row_are_told():
    class NextRow(Layer):
        def inside(self, taps, problem, axis):
            return super().inside(taps, problem, axis) | (axis == 1)

    found, text = described(NextRow())
    assert found.exact
    assert text == "Places outside of the image are read where they lie in memory, ih*5 + iw, in the next row."


def test_a_wrong_pitch_of_padded_planes_is_told():
    class Pitch(Layer):
        def _patches(self, x, problem):
            padded = np.pad(x, [(0, 0), (0, 0), *problem.padding])
            N, C, rows, columns = padded.shape
            taps = [self.taps(problem, axis) + problem.padding[axis][0] for axis in (0, 1)]
            pixels = (taps[0][:, None, :, None] * columns + taps[1][None, :, None, :]).reshape(-1, taps[0].shape[1] * 3)
            planes = (np.arange(N)[:, None, None] * C + self.channels(problem)) * (rows - 1) * columns
            return padded.ravel()[planes[..., None, None] + pixels]

    found, text = described(Pitch())
    assert found.exact
    assert text == (
        "X is read at element n*192 + ic*48 + oh*16 + kh*8 + ow + kw*2 of the padded image (7 x 8), where it must be "
        "n*224 + ic*56 + oh*16 + kh*8 + ow + kw*2."
    )


def test_a_large_image_is_not_drawn():
    class Late(Layer):
        def taps(self, problem, axis):
            return super().taps(problem, axis) + 1

    for width, drawn in ((60, True), (61, False)):
        problem = ConvProblem.from_descriptor(f"n1c1i2x{width}-k1w1x2-s1x1-d1x1-p0+0x0+0-g1-o2x{width - 1}")
        found, _ = described(Late(), problem=problem)
        assert (draw(found, problem) is not None) == drawn


def test_what_has_no_pattern_is_listed():
    class Scattered(Layer):
        def pixels(self, problem):
            table = super().pixels(problem).copy()
            table[np.arange(len(table)) * 7 % 5 == 2, 1] = ABSENT
            table[5, 0] = ABSENT
            table[7, 4] = table[2, 1]
            return table

    found, text = described(Scattered())
    assert not found.exact
    assert text.startswith("No pattern was found: ")
    assert "n=0, k=0" in text


def test_a_wrong_description_is_not_exact():
    from refconv.diagnosis.difference import explains

    class Late(Layer):
        def taps(self, problem, axis):
            return super().taps(problem, axis) + 1

    found, _ = described(Late())
    other, _ = described(Layer())
    assert explains(found.parts, found.view)
    assert not explains(other.parts, found.view)
