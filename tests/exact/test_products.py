"""How many convolutions an exact sum asks for, in which format, and that none of them can round."""

import operator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from refconv import ConvProblem, exact
from refconv.exact import products
from refconv.exact.slicing import extent, share
from refconv.exact.sums import FloatSum, SlicedSum
from refconv.formats import get_format
from refconv.reference import direct, im2col

OPERATIONS = ["forward", "grad_input", "grad_weight"]
BITS = {np.dtype(np.float32): 24, np.dtype(np.float64): 53}
each_operation = pytest.mark.parametrize("operation", OPERATIONS)
each_grouping = pytest.mark.parametrize("groups", [1, 2])


SIDE = {"forward": (0, 1), "grad_input": (1, 1), "grad_weight": (1, 0)}  # axes of second factor and result


class Noting:
    """im2col, which notes in which format each convolution of an operation is, and refuses one that might round."""

    def __init__(self, operation, problem):
        self.operation, self.problem, self.kinds, self.calls = operation, problem, [], 0

    def __getattr__(self, name):
        if name != self.operation:
            raise AttributeError(name)
        return self.noted

    def noted(self, *arguments):
        """Look at every slice of the second factor: they stand side by side, as if they were more channels."""
        *factors, problem = (value for value in arguments if value is not None)
        bias = [None] * (self.operation == "forward")
        function = getattr(im2col, self.operation)
        result, magnitudes = (function(*made, *bias, problem) for made in (factors, map(np.abs, factors)))
        lows = [extent(part)[0] for part in self.apart(factors[-1], 0)]
        for low, magnitude in zip(lows, self.apart(magnitudes, 1), strict=True):
            low += extent(factors[0])[0] * (len(factors) - 1)
            assert np.ldexp(magnitude.max().astype(np.float64), -low) <= 2.0 ** BITS[result.dtype]
            self.kinds.append(result.dtype.name)
        self.calls += 1
        return result

    def apart(self, tensor, which):
        """Split a second factor or a result into those of each slice."""
        if self.operation == "grad_bias":
            return [tensor]
        shape = self.problem.shape_of([exact.FACTORS[self.operation][1], self.operation][which])
        axis = SIDE[self.operation][which]
        return np.split(tensor, tensor.shape[axis] // shape[axis], axis)


def layer(operation, length, groups=1):
    """Return a layer that adds up so many products for each result of an operation."""
    extents = {
        "forward": {"in_channels": length * groups, "out_channels": 2 * groups, "input_size": (3,)},
        "grad_input": {"in_channels": 2 * groups, "out_channels": length * groups, "input_size": (3,)},
        "grad_weight": {"in_channels": 2 * groups, "out_channels": 3 * groups, "input_size": (length,)},
    }[operation]
    return ConvProblem(batch=1, groups=groups, kernel_size=(1,), **extents)


def worst(bits):
    """Make numbers of so many bits whose slices are all as large as they can be."""
    return lambda rng, shape: rng.choice([-1.0, 1.0], shape) * (2.0**bits - 1)


def any_digits(bits):
    """Make numbers of so many bits, the lowest of which is there."""
    return lambda rng, shape: (rng.integers(1 - 2**bits, 2**bits, shape) | 1).astype(np.float64)


def repeated(*values):
    """Fill a tensor with these, again and again."""
    return lambda rng, shape: np.resize(np.array(values, np.float64), shape)


def lone(value, length):
    """Let each result meet one number of this size, and zeros; a second factor of :func:`layer`."""

    def fill(rng, shape):
        channel, other = np.indices(shape)[[1, 2] if shape[0] == 1 else [0, 1]]
        return np.where(channel % length == other, value, 0.0)

    return fill


def noted(operation, fills, problem, kind=np.float64):
    """Compute a sum, hold it against Python integers, and return what it took."""
    rng = np.random.default_rng(7)
    names = exact.FACTORS[operation]
    tensors = {name: fill(rng, problem.shape_of(name)).astype(kind) for name, fill in zip(names, fills, strict=True)}
    using = Noting(operation, problem)
    total = exact.exact_sum(operation, tensors, problem, using)
    truth = exact.exact_sum(operation, tensors, problem, direct)
    assert total.round(get_format("float64")).tobytes() == truth.round(get_format("float64")).tobytes()
    factors = list(tensors.values())
    for part in total.parts:
        low, high = extent(part.values)
        assert part.low <= low or not part.values.any()
        assert high <= part.high + 1  # sums of 2**53 are allowed for
    several = len(factors) == 2 and len(using.kinds) > 1
    assert products.takes_several(operation, factors, list(map(extent, factors)), problem) == several
    return using


@each_operation
@each_grouping
@pytest.mark.parametrize(("fills", "length", "kind"), [
    ((worst(10), worst(11)), 8, "float32"),  # 10 + 11 + 3 bits are 24
    ((worst(12), worst(12)), 1, "float32"),
    ((worst(10), worst(11)), 9, "float64"),
    ((worst(11), worst(11)), 8, "float64"),
    ((worst(13), worst(12)), 1, "float64"),
    ((repeated(2**10, 2**-11), repeated(2**11)), 8, "float32"),  # 2**24 at most
    ((repeated(2**10 + 2**-11, 2**10), repeated(2**11)), 8, "float64"),
    ((worst(12), lone(2**12 - 1, 256)), 256, "float32"),  # 32 bits, if every product were as large as the largest
    ((worst(12), lone(2**12 - 1, 257)), 257, "float64"),  # 33
    ((repeated(2**-100), repeated(1)), 8, "float32"),
    ((repeated(2**-50), repeated(2**-51)), 8, "float64"),  # the products are nearly too small for float32
    ((repeated(2**50), repeated(2**50)), 8, "float32"),
    ((repeated(2**100), repeated(2)), 8, "float64"),
])  # fmt: skip
def test_what_fits_24_bits_is_convolved_in_float32(operation, groups, fills, length, kind):
    assert noted(operation, fills, layer(operation, length, groups), np.float32).kinds == [kind]
    assert noted(operation, fills, layer(operation, length, groups)).kinds == ["float64"]  # what is wider stays so


@each_operation
@pytest.mark.parametrize("groups", [1, 2])
def test_norms_are_raised_by_twice_the_roundings_of_their_sums(operation, groups):
    """Of two float32 numbers: by 2**-21."""
    for last, kind in ((2**23 - 9, "float32"), (2**23 - 8, "float64")):
        second = [2**23 + 1, 2**23 + 1, last, last] if operation == "grad_input" else [2**23 + 1, last]
        fills, problem = (repeated(1), repeated(*second)), layer(operation, 2, groups)
        lone_channel = replace(problem, **{products.BESIDE[operation][1]: groups})
        assert noted(operation, fills, problem, np.float32).kinds == [kind]
        fills = repeated(1), repeated(2**23 + 1, last)
        assert noted(operation, fills, lone_channel, np.float32).kinds == [kind]


@each_operation
@pytest.mark.parametrize("bits", [(10, 10), (10, 11), (11, 10), (11, 11), (9, 10)])
def test_all_products_of_a_result_count(operation, bits):
    problem = ConvProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(4, 5), kernel_size=(2, 3))
    largest = (2 ** bits[0] - 1) * (2 ** bits[1] - 1) * problem.reduction_length(operation)
    kinds = noted(operation, list(map(worst, bits)), problem, np.float32).kinds
    assert kinds == ["float32" if largest <= 2**24 else "float64"]


@each_operation
@each_grouping
@pytest.mark.parametrize(("fills", "length", "convolutions"), [
    ((worst(25), worst(25)), 8, 1),  # 25 + 25 + 3 bits are 53
    ((worst(25), worst(26)), 8, 2),
    ((worst(25), worst(25)), 9, 2),
    ((worst(27), worst(26)), 1, 1),
    ((worst(27), worst(27)), 1, 2),
    ((repeated(2**25, 2**-25), repeated(2**25)), 8, 1),  # 2**53 at most
    ((repeated(2**25 + 2**-25, 2**25), repeated(2**25)), 8, 2),
    ((worst(26), lone(2**26 - 1, 512)), 512, 1),  # 61 bits, if every product were as large as the largest
    ((worst(26), lone(2**26 - 1, 513)), 513, 2),  # 62
    ((worst(24), worst(50)), 8, 2),
    ((worst(50), worst(24)), 8, 2),
    ((worst(26), worst(52)), 8, 3),
    ((worst(52), worst(26)), 8, 3),
    ((worst(40), worst(40)), 8, 4),
    ((worst(53), worst(53)), 8, 6),
    ((any_digits(26), any_digits(26)), 8, 2),
    ((any_digits(30), any_digits(30)), 8, 2),
    ((any_digits(36), any_digits(36)), 8, 3),
    ((any_digits(50), any_digits(50)), 8, 4),
    ((any_digits(30), any_digits(30)), 576, 3),
    ((repeated(2.0**200), repeated(2.0**-200)), 8, 1),  # no number of float32 is so large
])  # fmt: skip
def test_as_few_convolutions_in_float64_as_that_takes(operation, groups, fills, length, convolutions):
    assert noted(operation, fills, layer(operation, length, groups)).kinds == ["float64"] * convolutions


@pytest.mark.parametrize(("fills", "length", "calls", "convolutions"), [
    ((any_digits(57), any_digits(59)), 1, 2, 6),
    ((any_digits(46), repeated(2**27, 1)), 9, 2, 2),
    ((any_digits(26), any_digits(44)), 64, 1, 3),
    ((repeated(2**34, 1), any_digits(41)), 64, 1, 3),
    ((repeated(2**42, 1), worst(53)), 100, 2, 4),
    ((repeated(2**54, 1), repeated(2**58, 1)), 576, 2, 8),
    ((repeated(2**48, 1), repeated(2**55, 1)), 9, 2, 4),
    ((worst(36), repeated(2**26, 1)), 8, 1, 2),
    ((repeated(2**32, 1), worst(49)), 64, 1, 3),
    ((repeated(2**99, 1), repeated(1)), 1, 2, 2),  # 50 bits to a slice, and two more for the first
    ((repeated(2**101, 1), repeated(1)), 1, 3, 3),
])  # fmt: skip
def test_wider_slices_are_tried_where_actual_digits_may_allow_them(fills, length, calls, convolutions):
    """Slices of the second factor stand side by side: a call for each of the first."""
    using = noted("forward", fills, layer("forward", length))
    assert (using.calls, len(using.kinds)) == (calls, convolutions)


@each_operation
@each_grouping
def test_float32_is_cut_in_float64(operation, groups):
    fills = [lambda rng, shape: rng.standard_normal(shape)] * 2
    assert noted(operation, fills, layer(operation, 8, groups), np.float32).kinds == ["float64"] * 2


def test_the_smaller_factor_is_converted_if_any():
    large, small = np.ones(3, np.float32), np.ones(2, np.float32)
    for factors in ([large, small], [small, large]):
        made = products.carried(factors, np.float64)
        assert [factor.dtype for factor in made] == [np.float32 if f is large else np.float64 for f in factors]
        assert any(factor is large for factor in made)
        assert all(map(operator.is_, products.carried(factors, np.float32), factors))


def test_bits_are_shared_for_the_fewest_pairs_and_of_these_for_the_fewest_first_slices():
    lengths = (1, 2, 12, 25, 43, 53, 54, 100)
    for first, second, total in product(lengths, lengths, range(2, 58)):
        widths = [(width, total - width) for width in range(1, 54) if 1 <= total - width <= 53]
        counts = [(-(-first // one) * -(-second // other), -(-first // one)) for one, other in widths]
        assert share(first, second, total) == widths[counts.index(min(counts))]


@pytest.mark.parametrize(("bits", "length", "convolutions"), [
    (49, 8, 1), (50, 8, 2), (50, 1, 2), (49, 2**5, 2), (48, 2**5, 1), (52, 2**10, 2), (44, 2**10, 2), (43, 2**10, 1),
])  # fmt: skip
def test_the_only_factor_of_grad_bias_is_cut_too(bits, length, convolutions):
    assert noted("grad_bias", [worst(bits)], layer("grad_weight", length)).kinds == ["float64"] * convolutions


@each_operation
@pytest.mark.parametrize(("scales", "kind"), [
    ((-1000, 0), FloatSum), ((-1001, 0), SlicedSum), ((-500, -500), FloatSum), ((-500, -501), SlicedSum),
    ((995, 0), FloatSum), ((996, 0), SlicedSum), ((498, 497), FloatSum), ((498, 498), SlicedSum),
])  # fmt: skip
def test_what_comes_near_the_ends_of_float64_is_left_to_integers(operation, scales, kind):
    """Eight products need three bits more, and the extent of a power of two is one above its exponent."""
    fills = [repeated(2.0**scale) for scale in scales]
    problem = layer(operation, 8)
    names = exact.FACTORS[operation]
    tensors = {name: fill(None, problem.shape_of(name)) for name, fill in zip(names, fills, strict=True)}
    assert type(exact.exact_sum(operation, tensors, problem, im2col)) is kind
