"""How fast exact values are: the exact engine over im2col beside torch's inexact float64.

Usage: ``python scripts/bench_exact.py [--threads N] [--rounds N] [--batch N] [--device cuda] [--fills integers]``.
Fills: ``integers`` need one convolution; ``float32`` and ``float64`` are normal deviates with all bits of their
mantissas.  On a device the tensors lie there before and after, ours in CuPy's arrays, and the wall clock is read.
"""

import benching

CHOSEN = benching.options(__doc__.splitlines()[0], batch=1, device="cpu", fills="integers,float32,float64")

import math  # noqa: E402  # BLAS reads its threads when NumPy is imported

import numpy as np  # noqa: E402

from refconv import ConvProblem, exact  # noqa: E402
from refconv.reference import im2col  # noqa: E402

FILLS = {"integers": "float32", "float32": "float32", "float64": "float64"}
TENSORS = ("x", "weight", "grad_output")
ON_CUDA = CHOSEN.device == "cuda"
THREADS = 0 if ON_CUDA else CHOSEN.threads  # 0: the wall clock


def place(tensor):
    """Put a tensor where it is computed on."""
    if not ON_CUDA:
        return tensor
    import cupy

    return cupy.asarray(tensor)


def settled(call):
    """Return a call that ends when its result is there."""
    if not ON_CUDA:
        return call
    import cupy

    def waited():
        call()
        cupy.cuda.Device().synchronize()

    return waited


def draw(problem, fill):
    """Draw the tensors of a layer."""
    rng = np.random.default_rng(0)
    made = rng.integers if fill == "integers" else lambda _, __, shape: rng.standard_normal(shape)
    return {name: made(-100, 100, problem.shape_of(name)).astype(FILLS[fill]) for name in TENSORS}


def ours(t, problem, out, using=im2col):
    """Return the three operations of the exact engine."""
    return {
        "forward": lambda: exact.forward(t["x"], t["weight"], None, problem, out, using),
        "grad_input": lambda: exact.grad_input(t["grad_output"], t["weight"], problem, out, using),
        "grad_weight": lambda: exact.grad_weight(t["x"], t["grad_output"], problem, out, using),
    }


class Counting:
    """im2col, and how many products it has added up."""

    products = 0

    def __getattr__(self, operation):
        """Return an operation that counts."""

        def counted(*arguments):
            problem = arguments[-1]
            self.products += products_of(operation, problem)
            return getattr(im2col, operation)(*arguments)

        return counted if operation in exact.FACTORS else getattr(im2col, operation)


def products_of(operation, problem):
    """Count the products of an operation, those with padding included."""
    return math.prod(problem.shape_of(operation)) * problem.reduction_length(operation)


def convolved(t, problem, out):
    """Tell how many times the products of the layer each operation computes."""
    for operation, call in ours(t, problem, out, counting := Counting()).items():
        counting.products = 0
        call()
        yield f"{counting.products / products_of(operation, problem):.3g}"


def of_layers(fill):
    """Compare on the five layers."""
    rows, ratios = [], []
    rate = benching.peak("float64", THREADS, size=8192 if ON_CUDA else 1024, place=place, settled=settled)
    for name, problem in benching.layers(CHOSEN.batch).items():
        t = draw(problem, fill)
        wide = {key: value.astype(np.float64) for key, value in t.items()}
        theirs = benching.torch_calls(wide, problem, CHOSEN.device)
        t = {key: place(value) for key, value in t.items()}
        mine = ours(t, problem, FILLS[fill])
        calls = {f"torch {key}": settled(call) for key, call in theirs.items()}
        calls |= {key: settled(call) for key, call in mine.items()}
        took = benching.measure(calls, CHOSEN.rounds if fill == "integers" else CHOSEN.rounds // 2 + 1, THREADS)
        each = [took[key] / took[f"torch {key}"] for key in mine]
        count = math.prod(problem.y_shape) * math.prod(problem.weight_shape[1:])
        times = "/".join(convolved(t, problem, FILLS[fill]))
        rows.append([fill, name, *(round(took[key], 2) for key in mine), *(round(ratio, 2) for ratio in each),
                     round(took["forward"] / (1000 * count / rate), 2), times])  # fmt: skip
        ratios.append(each)
    return rows, ratios


def growth():
    """Measure nanoseconds per multiply-accumulate from 10**6 to 10**9 of them."""
    found = {}
    for size in (8, 24, 76, 240):
        problem = ConvProblem(batch=1, in_channels=48, out_channels=48, input_size=(size, size), kernel_size=(3, 3),
                              padding=((1, 1), (1, 1)))  # fmt: skip
        t = {key: place(value) for key, value in draw(problem, "integers").items()}
        calls = {name: settled(call) for name, call in ours(t, problem, "float32").items()}
        took = benching.measure(calls, 3, THREADS)
        count = math.prod(problem.y_shape) * math.prod(problem.weight_shape[1:])
        found[f"{count:.2g}"] = {name: round(1e6 * ms / count, 3) for name, ms in took.items()}
    return found


def main():
    """Print and write everything."""
    benching.set_torch_threads(CHOSEN.threads)
    if ON_CUDA:
        import torch

        torch.backends.cudnn.benchmark = True  # the fastest of its algorithms
    rows, summary = [], {}
    for fill in CHOSEN.fills.split(","):
        more, ratios = of_layers(fill)
        rows += more
        for place, name in enumerate(("forward", "grad_input", "grad_weight")):
            values = [ratio[place] for ratio in ratios]
            summary[f"{fill}, {name} / torch float64"] = (
                f"{benching.geometric_mean(values):.2f} (geometric mean), {max(values):.2f} (largest)"
            )
    summary["growth, ns per multiply-accumulate"] = growth()
    if ON_CUDA:
        summary["device"] = torch.cuda.get_device_name()
    columns = ["fill", "layer", "y ms", "gx ms", "gw ms", "y ratio", "gx ratio", "gw ratio", "y / peak", "convolutions"]
    benching.finish(CHOSEN, "exact values and torch float64", columns, rows, summary)


if __name__ == "__main__":
    main()
