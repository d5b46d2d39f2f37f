"""How fast the references are: im2col, sparse and direct beside torch, scipy.signal, tinyml and the bare product.

Usage: ``python scripts/bench_reference.py [--threads N] [--rounds N] [--out FILE.json]``.  All candidates of a row take
turns in one process; figures are medians, and ratios are of medians.  tinyml 0.0.6 and torch are asked where installed.
"""

import benching

CHOSEN = benching.options(__doc__.splitlines()[0])

import math  # noqa: E402  # BLAS reads its threads when NumPy is imported

import numpy as np  # noqa: E402

from refconv import ConvProblem  # noqa: E402
from refconv.reference import direct, im2col, sparse  # noqa: E402


def draw(problem, dtype):
    """Draw the tensors of a layer."""
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(problem.shape_of(name)).astype(dtype) for name in ("x", "weight", "grad_output")}


def ours(t, problem):
    """Return the three operations of im2col."""
    return {
        "forward": lambda: im2col.forward(t["x"], t["weight"], None, problem),
        "grad_input": lambda: im2col.grad_input(t["grad_output"], t["weight"], problem),
        "grad_weight": lambda: im2col.grad_weight(t["x"], t["grad_output"], problem),
    }


def products(problem):
    """Count the multiply-accumulates of one operation."""
    return math.prod(problem.y_shape) * math.prod(problem.weight_shape[1:])


def of_layers(dtype):
    """Compare on the five layers; yields a row for each and the ratios that are judged."""
    rate, rows, ratios = benching.peak(dtype, CHOSEN.threads), [], []
    for name, problem in benching.layers().items():
        t = draw(problem, dtype)
        theirs, mine = benching.torch_calls(t, problem), ours(t, problem)
        calls = {f"torch {key}": call for key, call in theirs.items()} | mine
        took = benching.measure(calls, CHOSEN.rounds, CHOSEN.threads)
        bare = 1000 * products(problem) / rate
        each = {key: took[key] / took[f"torch {key}"] for key in mine}
        whole = sum(took[key] for key in mine) / sum(took[f"torch {key}"] for key in mine)
        figures = [*(took[f"torch {key}"] for key in mine), *(took[key] for key in mine), *each.values(), whole]
        rows.append([dtype, name, *(round(figure, 2) for figure in [*figures, took["forward"] / bare])])
        ratios.append((each["forward"], whole, took["forward"] / bare))
    return rows, ratios


def of_tinyml():
    """Compare with tinyml on its own ground: 8x16x32x32, 32 filters of 3x3."""
    try:
        from tinyml.layers import Conv2D
    except ImportError:
        return "tinyml is not installed"
    problem = ConvProblem(batch=8, in_channels=16, out_channels=32, input_size=(32, 32), kernel_size=(3, 3),
                          padding=((1, 1), (1, 1)))  # fmt: skip
    t = draw(problem, "float64")
    layer, bias = Conv2D("layer", (16, 32, 32), 32, 3, 3, 1, 1), np.zeros(32)

    def theirs_back():
        layer.backward(t["grad_output"])

    def mine_back():
        im2col.grad_input(t["grad_output"], t["weight"], problem)
        im2col.grad_weight(t["x"], t["grad_output"], problem)
        im2col.grad_bias(t["grad_output"], problem)

    calls = {
        "their forward": lambda: layer.forward(t["x"]), "their backward": theirs_back,
        "forward": lambda: im2col.forward(t["x"], t["weight"], bias, problem), "backward": mine_back,
    }  # fmt: skip
    took = benching.measure(calls, CHOSEN.rounds, CHOSEN.threads)
    return {way: round(took[f"their {way}"] / took[way], 2) for way in ("forward", "backward")} | {
        f"{name} ms": round(value, 2) for name, value in took.items()
    }


def of_slow_ones():
    """Measure nanoseconds per multiply-accumulate of direct and sparse, and of scipy.signal on 3x3 64-64 at 56."""
    from scipy.signal import correlate

    small = ConvProblem(batch=1, in_channels=8, out_channels=8, input_size=(16, 16), kernel_size=(3, 3))
    layer = benching.layers()["3x3 64-64 at 56"]
    tiny, large = draw(small, "float64"), draw(layer, "float64")
    padded = np.pad(large["x"][0], ((0, 0), (1, 1), (1, 1)))
    calls = {
        "direct": lambda: direct.forward(tiny["x"], tiny["weight"], None, small),
        "sparse": lambda: sparse.forward(large["x"], large["weight"], None, layer),
        "scipy.signal.correlate": lambda: [correlate(padded, kernel, "valid", "direct") for kernel in large["weight"]],
        "im2col": lambda: im2col.forward(large["x"], large["weight"], None, layer),
    }
    took = benching.measure(calls, 1, CHOSEN.threads)
    count = {"direct": products(small)}
    return {name: round(1e6 * value / count.get(name, products(layer)), 3) for name, value in took.items()}


def growth():
    """Measure nanoseconds per multiply-accumulate of im2col from 10**6 to 10**9 of them."""
    found = {}
    for size in (8, 24, 76, 240):
        problem = ConvProblem(batch=1, in_channels=48, out_channels=48, input_size=(size, size), kernel_size=(3, 3),
                              padding=((1, 1), (1, 1)))  # fmt: skip
        t = draw(problem, "float64")
        took = benching.measure(ours(t, problem), max(3, CHOSEN.rounds // 2), CHOSEN.threads)
        found[f"{products(problem):.2g}"] = {name: round(1e6 * ms / products(problem), 3) for name, ms in took.items()}
    return found


def main():
    """Print and write everything."""
    benching.set_torch_threads(CHOSEN.threads)
    rows, summary = [], {}
    for dtype in ("float64", "float32"):
        more, ratios = of_layers(dtype)
        rows += more
        names = ("forward / torch", "forward and backward / torch", "forward / product at peak")
        means = (round(benching.geometric_mean(values), 2) for values in zip(*ratios, strict=True))
        summary[dtype] = dict(zip(names, means, strict=True))
        summary[dtype]["product at peak, without depthwise"] = [round(ratio[2], 2) for ratio in ratios[:4]]
    summary["times faster than tinyml 0.0.6"] = of_tinyml()
    summary["ns per multiply-accumulate"] = of_slow_ones()
    summary["growth, ns per multiply-accumulate"] = growth()
    columns = [
        "dtype", "layer", "torch y", "torch gx", "torch gw", "im2col y", "im2col gx", "im2col gw",
        "y ratio", "gx ratio", "gw ratio", "all ratio", "y / peak",
    ]  # fmt: skip
    benching.finish(CHOSEN, "im2col and torch, milliseconds", columns, rows, summary)


if __name__ == "__main__":
    main()
