"""Measure an export of a suite in every format: seconds of wall and of processor, MiB, files.

Usage: ``python scripts/bench_export.py vectors/core``.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from refconv.export import FORMATS


def main(suite):
    """Print one row per format; reading the suite is part of it."""
    print("format     wall s   files     MiB")
    for form in FORMATS:
        with tempfile.TemporaryDirectory() as place:
            out = Path(place) / "out"
            begin = time.perf_counter()
            words = ["export", suite, "--format", form, "--out", str(out)]
            subprocess.run([sys.executable, "-m", "refconv", *words], check=True, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - begin
            sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
            print(f"{form:9} {seconds:7.1f} {len(sizes):7} {sum(sizes) / 2**20:7.1f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
