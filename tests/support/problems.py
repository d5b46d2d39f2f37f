"""Legal problems for property-based tests, and tensors that fit them."""

import numpy as np
from hypothesis import strategies as st

from refconv import ConvProblem, TransposedProblem
from refconv.problem.rules import spread_length

SIZES = st.integers(1, 6)


ANY = (1, 2, 3)  # numbers of axes
LARGEST = {1: 5, 2: 4, 3: 2}  # kernels and padding, by the number of axes: Python's loops take their time


@st.composite
def problems(draw, smallest=0, axes=(2,), least_pad=0):
    """Draw a legal problem: extents drawn apart, so that no two agree but by chance."""
    groups = draw(st.integers(1, 3))
    dimensions = range(draw(st.sampled_from(axes)))
    most = LARGEST[len(dimensions)]
    kernel = tuple(draw(st.integers(1, most)) for _ in dimensions)
    dilation = tuple(draw(st.integers(1, 3)) for _ in dimensions)
    padding = tuple((draw(st.integers(least_pad, most)), draw(st.integers(least_pad, most))) for _ in dimensions)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    least = [max(1, r - sum(pads), 1 - min(pads)) for r, pads in zip(reach, padding, strict=True)]
    return ConvProblem(
        batch=draw(st.integers(smallest, 3)),
        in_channels=groups * draw(st.integers(smallest, 3)),
        out_channels=groups * draw(st.integers(smallest, 3)),
        groups=groups,
        input_size=tuple(draw(st.integers(low, low + most + 1)) for low in least),
        kernel_size=kernel,
        stride=tuple(draw(st.integers(1, 4)) for _ in dimensions),
        dilation=dilation,
        padding=padding,
    )


def every_problem(smallest=0, axes=ANY):
    """Draw a legal problem over one to three axes, whose padding may crop."""
    return problems(smallest, axes=axes, least_pad=-2)


@st.composite
def transposed_problems(draw, smallest=0, axes=ANY):
    """Draw a legal transposed problem, whose padding may add to the output."""
    groups = draw(st.integers(1, 3))
    dimensions = range(draw(st.sampled_from(axes)))
    most = LARGEST[len(dimensions)]

    def each(low, high):
        return tuple(draw(st.integers(low, high)) for _ in dimensions)

    size, kernel, stride, dilation = each(1, most + 1), each(1, most), each(1, 3), each(1, 3)
    extra = tuple(draw(st.integers(0, max(steps) - 1)) for steps in zip(stride, dilation, strict=True))
    full = [spread_length(*axis) for axis in zip(size, kernel, stride, dilation, strict=True)]
    begin = tuple(draw(st.integers(-2, min(most, length - 1))) for length in full)
    end = [draw(st.integers(-2, min(most, length - 1, length - first - 1)))
           for length, first in zip(full, begin, strict=True)]  # fmt: skip
    return TransposedProblem(
        batch=draw(st.integers(smallest, 3)),
        in_channels=groups * draw(st.integers(smallest, 3)),
        out_channels=groups * draw(st.integers(smallest, 3)),
        groups=groups, input_size=size, kernel_size=kernel, stride=stride, dilation=dilation,
        padding=tuple(zip(begin, end, strict=True)), output_padding=extra,
    )  # fmt: skip


def integer_tensors(problem, seed=0, largest=9, dtype=np.float64):
    """Fill all four inputs with small integers, on which every reference must be exact."""
    rng = np.random.default_rng(seed)
    names = ("x", "weight", "bias", "grad_output")
    return {name: rng.integers(-largest, largest + 1, problem.shape_of(name)).astype(dtype) for name in names}


def real_tensors(problem, seed=0, binades=0):
    """Fill all four inputs with float64 values of full mantissa, over a range of exponents."""
    rng = np.random.default_rng(seed)

    def values(name):
        shape = problem.shape_of(name)
        return rng.standard_normal(shape) * np.exp2(rng.integers(-binades, binades + 1, shape))

    return {name: values(name) for name in ("x", "weight", "bias", "grad_output")}


def run(implementation, tensors, problem):
    """Run all four operations of an object of the protocol; return the results by operation."""
    return {
        "forward": implementation.forward(tensors["x"], tensors["weight"], tensors["bias"], problem),
        "grad_input": implementation.grad_input(tensors["grad_output"], tensors["weight"], problem),
        "grad_weight": implementation.grad_weight(tensors["x"], tensors["grad_output"], problem),
        "grad_bias": implementation.grad_bias(tensors["grad_output"], problem),
    }


def hold_the_wider_dtype(reference, direct, problem, wide):
    """Hold results to the wider dtype of what they are made from; a third is no float32: rounding it is found out."""
    tensors = integer_tensors(problem, dtype=np.float32)
    tensors[wide] = tensors[wide].astype(np.float64) + 1 / 3
    got = run(reference, tensors, problem)
    exact = run(direct, {name: tensor.astype(np.float64) for name, tensor in tensors.items()}, problem)
    makes = {"forward": ("x", "weight", "bias"), "grad_input": ("grad_output", "weight"),
             "grad_weight": ("x", "grad_output"), "grad_bias": ("grad_output",)}  # fmt: skip
    for operation, makers in makes.items():
        assert got[operation].dtype == (np.float64 if wide in makers else np.float32)
        np.testing.assert_allclose(got[operation], exact[operation], rtol=1e-12, atol=1e-12)
