"""Legal problems for property-based tests, and tensors that fit them."""

import numpy as np
from hypothesis import strategies as st

from refconv import ConvProblem

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


def every_problem(smallest=0):
    """Draw a legal problem over one to three axes, whose padding may crop."""
    return problems(smallest, axes=ANY, least_pad=-2)


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
