"""How much memory a large layer takes beyond its inputs and outputs: 1x64x512x512, 64 filters of 3x3.

Usage: ``python scripts/bench_memory.py [--out FILE.json]``.  Each figure is the peak resident memory of a child of its
own, less what it held before the call and less the result.  Linux only.  Fills: ``integers`` need one convolution;
``full`` are normal deviates with all bits of their mantissas.
"""

import benching

CHOSEN = benching.options(__doc__.splitlines()[0])

import re  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

LIMIT = 256  # MiB

CHILD = """
import re, sys
from pathlib import Path
import numpy as np
from refconv import ConvProblem, exact
from refconv.reference import im2col

way, fill, dtype, operation = sys.argv[1:]
problem = ConvProblem(batch=1, in_channels=64, out_channels=64, input_size=(512, 512), kernel_size=(3, 3),
                      padding=((1, 1), (1, 1)))
names = {"forward": ("x", "weight"), "grad_input": ("grad_output", "weight"), "grad_weight": ("x", "grad_output")}
rng = np.random.default_rng(0)
draw = rng.standard_normal if fill == "full" else lambda shape: rng.integers(-9, 9, shape, dtype=np.int8)
tensors = [draw(problem.shape_of(name)).astype(dtype) for name in names[operation]]
more = [None] if operation == "forward" else []
np.ones((64, 64)) @ np.ones((64, 64))  # BLAS takes its buffers

def held(field):
    return int(re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
before = held("VmRSS")
if way == "im2col":
    result = getattr(im2col, operation)(*tensors, *more, problem)
else:
    result = getattr(exact, operation)(*tensors, *more, problem, dtype, im2col)
print(held("VmHWM") - before - result.nbytes / 2**20)
"""


def extra(*arguments):
    """Return the extra mebibytes of a call, made by a child."""
    done = subprocess.run([sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, check=True)
    return round(float(done.stdout), 1)


def main():
    """Print and write everything."""
    rows = [
        [way, fill, dtype, operation, extra(way, fill, dtype, operation)]
        for way, fill in (("im2col", "full"), ("exact", "integers"), ("exact", "full"))
        for dtype in ("float32", "float64")
        for operation in ("forward", "grad_input", "grad_weight")
    ]
    worst = {" ".join(way): max(row[4] for row in rows if row[:2] == list(way)) for way in {(r[0], r[1]) for r in rows}}
    columns = ["what", "fill", "dtype", "operation", "extra MiB"]
    benching.finish(CHOSEN, f"extra memory, of at most {LIMIT} MiB", columns, rows, {"largest": worst})


if __name__ == "__main__":
    assert re.search("linux", sys.platform), "needs /proc"
    assert Path("/proc/self/clear_refs").exists()
    main()
