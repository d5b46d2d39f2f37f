"""What the benchmarks share: layers, interleaved medians, the machine, tables and JSON.

Import it before NumPy: ``--threads`` must be in the environment when BLAS starts.
"""

import argparse
import json
import math
import os
import platform
import statistics
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
RESULTS = Path(__file__).parents[1] / "docs" / "performance"


def options(description, **more):
    """Parse what all benchmarks take, and more by its name and default, and tell BLAS how many threads it has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--threads", type=int, default=CORES, help="of BLAS and of torch; one is timed by CPU time")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, help="JSON; the table goes to standard output")
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    chosen = parser.parse_args()
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(chosen.threads)
    return chosen


def layers(batch=1):
    """Return the five layers of ResNet-50 and MobileNetV2 that the figures are about."""
    from refconv import ConvProblem

    def layer(c, size, k, w, s=1, groups=1):
        pad = w // 2
        return ConvProblem(
            batch=batch, in_channels=c, out_channels=k, input_size=(size, size), kernel_size=(w, w), stride=(s, s),
            padding=((pad, pad), (pad, pad)), groups=groups,
        )  # fmt: skip

    return {
        "7x7/2 3-64 at 224": layer(3, 224, 64, 7, 2),
        "3x3 64-64 at 56": layer(64, 56, 64, 3),
        "3x3 256-256 at 14": layer(256, 14, 256, 3),
        "1x1 512-2048 at 7": layer(512, 7, 2048, 1),
        "depthwise 3x3 144 at 56": layer(144, 56, 144, 3, groups=144),
    }


def measure(functions, rounds, threads):
    """Time functions in turn, round after round, and return the median of each in milliseconds.

    With one thread it is the CPU time, which other processes hardly disturb; with more it is the wall clock.
    """
    clock = _clock(threads)
    times = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(rounds):
        for name, function in functions.items():
            begin = clock()
            function()
            times[name].append(1000 * (clock() - begin))
    return {name: statistics.median(taken) for name, taken in times.items()}


def _clock(threads):
    return time.process_time if threads == 1 else time.perf_counter


def torch_calls(tensors, problem, device="cpu"):
    """Return forward, grad_input and grad_weight of torch on these tensors."""
    import torch

    x, weight, grad_output = (torch.tensor(tensors[name], device=device) for name in ("x", "weight", "grad_output"))
    pads = [begin for begin, _ in problem.padding]

    def backward(which):
        mask = [place == which for place in range(3)]
        return lambda: torch.ops.aten.convolution_backward(
            grad_output, x, weight, None, problem.stride, pads, problem.dilation, False, [0, 0], problem.groups, mask
        )

    return {
        "forward": lambda: torch.nn.functional.conv2d(
            x, weight, None, problem.stride, pads, problem.dilation, problem.groups
        ),
        "grad_input": backward(0),
        "grad_weight": backward(1),
    }


def set_torch_threads(threads):
    """Let torch use as many threads as BLAS."""
    import torch

    torch.set_num_threads(threads)


def peak(dtype, threads, rounds=9, size=1024, place=lambda matrix: matrix, settled=lambda call: call):
    """Measure the best rate of a product of square matrices, in multiply-accumulates per second."""
    import numpy as np

    a, b = (place(np.random.default_rng(seed).random((size, size)).astype(dtype)) for seed in (1, 2))
    multiply = settled(lambda: a @ b)
    best, clock = math.inf, _clock(threads)
    for _ in range(rounds):
        begin = clock()
        multiply()
        best = min(best, clock() - begin)
    return size**3 / best


def geometric_mean(values):
    """Return the geometric mean."""
    return statistics.geometric_mean(list(values))


def surroundings(threads):
    """Describe the machine and the versions."""
    packages = ("refconv", "numpy", "scipy", "torch", "tinyml", "distributed", "cupy-cuda12x", "cupy-cuda13x")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": CORES,
        "threads": threads,
        "clock": "CPU time" if threads == 1 else "wall",
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": {name: found for name in packages if (found := installed(name))},
    }


def finish(chosen, title, columns, rows, summary):
    """Print a table and write the JSON."""
    print(f"\n{title}\n")
    widths = [max(len(str(row[place])) for row in [columns, *rows]) for place in range(len(columns))]
    for row in [columns, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
    for name, value in summary.items():
        print(f"{name}: {value}")
    if chosen.out:
        record = {"command": _command(), **surroundings(chosen.threads)}
        record |= {"title": title, "columns": columns, "rows": rows, "summary": summary}
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        chosen.out.write_text(json.dumps(record, indent=1) + "\n")


def _command():
    """Return the command line without the place where its JSON goes."""
    pairs = zip(sys.argv[1:], sys.argv, strict=False)
    return " ".join([Path(sys.argv[0]).name, *(word for word, before in pairs if "--out" not in (word, before))])


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def installed(name):
    """Return the version of a package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
