"""How fast suites are made, verified and checked: cases per second, for one and two processes and for dask.

Usage: ``python scripts/bench_suite.py [--tier core] [--select GLOB] [--out FILE.json]``.  Beside the wall clock stands
the CPU time of all processes, which other work on the machine disturbs less.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import benching

from refconv import check, load_suite
from refconv.generate import generate, recompute
from refconv.implementations import load_implementation
from refconv.suite import verify_files
from refconv.workers import dask_executor


def timed(function):
    """Return seconds by the wall and seconds of CPU, children included."""
    begin, spent = time.perf_counter(), cpu()
    function()
    return time.perf_counter() - begin, cpu() - spent


def cpu():
    """Return the CPU seconds of this process and of its finished children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in used)


def by_dask(folder, tier, select):
    """Make the suite on a local cluster of two workers."""
    from distributed import LocalCluster

    local = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with local as cluster, dask_executor(cluster.scheduler_address) as executor:
        generate(folder, tier, select, executor=executor)


def main(chosen):
    """Print and write everything."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        one, two, three = (Path(name) / each for each in ("one", "two", "three"))
        steps = {
            "generate, 1 process": lambda: generate(one, chosen.tier, chosen.select),
            "generate, 2 processes": lambda: generate(two, chosen.tier, chosen.select, jobs=2),
            "generate, dask with 2 workers": lambda: by_dask(three, chosen.tier, chosen.select),
            "verify": lambda: verify_files(one),
            "verify --recompute, 2 processes": lambda: recompute(one, jobs=2),
            "check im2col in process": lambda: check(load_implementation("im2col"), load_suite(one), isolate=False),
        }
        for step, function in steps.items():
            if "dask" in step and benching.installed("distributed") is None:
                continue
            wall, spent = timed(function)
            rows.append([step, round(wall, 2), round(spent, 2), round(len(load_suite(one)) / wall, 1)])
        sums = {(folder / "SHA256SUMS").read_bytes() for folder in (one, two, three) if folder.exists()}
    summary = {
        "cases": round(rows[0][1] * rows[0][3]), "different SHA256SUMS": len(sums),
        "two processes are faster by": round(rows[0][1] / rows[1][1], 2),
    }  # fmt: skip
    benching.finish(chosen, f"suites: {chosen.tier}", ["step", "wall s", "CPU s", "cases / s"], rows, summary)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tier", default="core")
    parser.add_argument("--select", nargs="+", default=["*"])
    parser.add_argument("--out", type=Path)
    main(parser.parse_args(namespace=argparse.Namespace(threads=benching.CORES)))
