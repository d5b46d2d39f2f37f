"""Make a suite: catalogue, then consensus, then files; what the references do not agree on is not written."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from refconv.catalogue import FILLS, VERSION, CaseSpec, cases
from refconv.catalogue.promises import promises
from refconv.errors import RefconvError, SuiteError
from refconv.generate.consensus import REFERENCES, consult, golden_case
from refconv.generate.recipe import Hashes, check_recipe, hashes_of, needs_recipe, read_recipe, write_recipe
from refconv.generate.sampling import STATED, computes_all
from refconv.implementations import load_implementation
from refconv.suite import Group, GroupRecord, lint_group, note_for, staged, write_group, write_manifest

Progress = Callable[[int, int], None]

README = """\
# refconv vectors: {tier} {version}

Golden values for the convolution layer of neural networks: each is the exact real-number result, rounded once.
License: CC0-1.0.  Check the files with `sha256sum -c SHA256SUMS`.

A group is two files with one stem.  `NAME.json` is the index: every case with its problem, flags, inputs and
expected results; `NAME.safetensors` holds the tensors.  Each tensor reference in the index states the byte
offset in the payload, the number of bytes, dtype, shape and SHA-256; data are little-endian, C order, packed,
so `seek` and `read` suffice.

A result passes if, for judge class `exact`, every element equals the expected one (-0 equals +0), and for any
other class, every element lies in `lo <= value <= hi`; any NaN is right where NaN is expected.  A case whose
`result` is `choice` expects one of its `alternatives`, each under the name of a policy.

"Convolution" is cross-correlation; a dilation of 1 is dense; padding is ((top, bottom), (left, right)); sizes that
do not divide are floored.
"""


@dataclass(frozen=True)
class Job:
    """A work item: what a worker needs in order to make one group, and nothing more."""

    folder: Path
    tier: str
    select: tuple[str, ...]
    group: str
    oracle: str | None


@dataclass(frozen=True)
class Made:
    """What a worker reports, beside the files that it wrote.

    ``opinions`` is what the oracle said by case and operation; ``sampled`` names, by case, the references that
    computed only a sample.
    """

    record: GroupRecord
    opinions: dict[str, dict[str, str]]
    hashes: Hashes
    sampled: dict[str, list[str]]


def generate(
    out: str | Path, tier: str = "core", select: Iterable[str] = ("*",), jobs: int = 1, oracle: str | None = None,
    force: bool = False, executor: Executor | None = None, progress: Progress | None = None,
    recipe: str | Path | None = None,
) -> int:  # fmt: skip
    """Generate a suite, or leave everything as it was.

    Parameters
    ----------
    out : path
        A folder that does not exist yet, is empty, or, with ``force``, holds a suite to be replaced.
    tier : {"smoke", "core", "regress", "extended"}
    select : iterable of str
        Shell patterns over case ids.
    jobs : int
        Number of processes.
    oracle : {"torch"}, optional
        An outside oracle that must agree too.
    force : bool
        Replace the suite that stands at ``out``.
    executor : concurrent.futures.Executor, optional
        Where to run instead; ``out`` must be a folder that its workers share.
    progress : callable, optional
        Called as ``progress(done cases, all cases)``.
    recipe : path, optional
        Write the recipe of the tier there, instead of holding what is made against the recipe that comes with
        refconv; for tiers that have one.

    Returns
    -------
    int
        The number of cases.

    Raises
    ------
    DisagreementError
        If the references, or the oracle, differ anywhere, or a tensor is not the one of the recipe.
    CatalogueError
        If the tier is unknown or nothing is selected.
    SuiteError
        If ``out`` is not free.
    """
    if jobs < 1:
        raise RefconvError(f"jobs must be 1 or more, got {jobs}.")
    patterns = tuple(select)
    specs = cases(tier, patterns)
    sizes = _sizes(specs)
    known = _known_hashes(tier, recipe, whole=len(specs) == len(cases(tier)))
    witness = oracle_name(oracle)
    with staged(Path(out), force) as folder:
        work = [Job(folder, tier, patterns, group, witness) for group in sizes]
        made, done = [], 0
        for result in _spread(work, jobs, executor):
            if known is not None:
                check_recipe(result.hashes, known)
            made.append(result)
            done += result.record.cases
            if progress:
                progress(done, len(specs))
        readme = README.format(tier=tier, version=VERSION)
        (folder / "README.md").write_bytes(readme.encode("ascii"))
        write_manifest(folder, tier, VERSION, [one.record for one in made], _provenance(made, witness))
    if recipe is not None:
        write_recipe(Path(recipe), specs, {case_id: said for one in made for case_id, said in one.hashes.items()})
    return len(specs)


def make_group(job: Job) -> Made:
    """Compute one group and write its two files; runs in a worker."""
    specs = [spec for spec in cases(job.tier, job.select) if spec.group == job.group]
    oracle = load_implementation(job.oracle) if job.oracle else None
    opinions = {spec.id: consult(oracle, spec) for spec in specs} if oracle else {}
    flags = sorted({flag for spec in specs for flag in spec.flags})
    group = Group(
        name=job.group, suite=job.tier, header=(FILLS[specs[0].fill].header,),
        notes={flag: note_for(flag, promises()) for flag in flags}, cases=tuple(golden_case(spec) for spec in specs),
    )  # fmt: skip
    findings = lint_group(group)
    if findings:
        raise SuiteError(f"{job.group}: nothing was written, since {findings[0]}")
    record = write_group(job.folder, group)
    hashes = hashes_of(json.loads((job.folder / f"{job.group}.json").read_bytes())) if needs_recipe(job.tier) else {}
    return Made(record, opinions, hashes, {spec.id: names for spec in specs if (names := _sampling(spec))})


def _sampling(spec: CaseSpec) -> list[str]:
    """Name the references that compute a sample of some operation of a case."""
    asked = [(reference, operation) for reference in REFERENCES for operation in spec.operations]
    return sorted({r.name for r, operation in asked if not computes_all(spec.problem, operation, r)})


def _known_hashes(tier: str, recipe: str | Path | None, whole: bool) -> Hashes | None:
    """Read what the tensors must be, if the tier has a recipe and no new one is to be written."""
    if recipe is None:
        return read_recipe() if needs_recipe(tier) else None
    if not needs_recipe(tier) or not whole:
        raise RefconvError("a recipe must hold a whole tier whose vectors are not committed: extended, all cases.")
    return None


def _sizes(specs: list[CaseSpec]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for spec in specs:
        sizes[spec.group] = sizes.get(spec.group, 0) + 1
    return sizes


def _spread(work: list[Job], jobs: int, executor: Executor | None) -> Iterator[Made]:
    """Yield results as they come; the first failure ends the run."""
    if executor is None and jobs == 1:
        yield from map(make_group, work)
        return
    # spawn: a forked child would inherit the threads of BLAS in an unknown state
    own = executor is None
    with ProcessPoolExecutor(jobs, get_context("spawn")) if own else nullcontext(executor) as pool:
        assert pool is not None
        waiting = [pool.submit(make_group, job) for job in work]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            for future in waiting:
                future.cancel()


def oracle_name(oracle: str | None) -> str | None:
    """Complete ``torch`` to the engine that computes in float64, and see that it is there before work begins."""
    if oracle is None:
        return None
    name = f"{oracle}:float64" if ":" not in oracle else oracle
    load_implementation(name)
    return name


def _provenance(made: list[Made], oracle: str | None) -> dict[str, Any]:
    packages = ["refconv", "numpy", "scipy", "ml_dtypes", *([oracle.partition(":")[0]] if oracle else [])]
    opinions = {case: said for one in made for case, said in one.opinions.items()}
    sampled = {case: names for one in made for case, names in one.sampled.items()}
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "witnesses": {reference.name: "every element of every operation" for reference in REFERENCES},
        **({"sample": STATED, "sampled": dict(sorted(sampled.items()))} if sampled else {}),
        "oracle": oracle,
        "oracleSays": dict(sorted(opinions.items())),
    }
