"""Make a suite: catalogue, then consensus, then files; what the references do not agree on is not written."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from refconv.catalogue import FILLS, VERSION, CaseSpec, cases
from refconv.catalogue.promises import promises_of
from refconv.errors import DisagreementError, RefconvError, SuiteError
from refconv.generate.consensus import REFERENCES, computing_on, consult, golden_case
from refconv.generate.recipe import Hashes, check_recipe, hashes_of, needs_recipe, read_recipe, write_recipe
from refconv.generate.sampling import STATED, computes_all, count_products
from refconv.generate.workshop import Made, keep, kept, move, workshop
from refconv.implementations import load_implementation
from refconv.implementations.devices import carried_to
from refconv.suite import Case, Group, lint_group, note_for, staged, write_group, write_manifest
from refconv.version import __version__
from refconv.workers import Outcome, spread

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
    oracle: str | None
    device: str
    group: str

    def __str__(self) -> str:
        return self.group


def generate(
    out: str | Path, tier: str = "core", select: Iterable[str] = ("*",), jobs: int = 1, oracle: str | None = None,
    force: bool = False, executor: Executor | None = None, progress: Progress | None = None,
    recipe: str | Path | None = None, device: str = "cpu",
) -> int:  # fmt: skip
    """Generate a suite, or leave everything as it was.

    Parameters
    ----------
    out : path
        A folder that does not exist yet, is empty, or, with ``force``, holds a suite to be replaced.
    tier : {"smoke", "core", "axes", "regress", "extended"}
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
    device : {"cpu", "cuda"}
        Where im2col, and the exact engine with it, compute.

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
    known = _known_hashes(tier, recipe, whole=len(specs) == len(cases(tier)))
    carried_to(device)  # or a sentence that says why not, before the work
    purpose = (tier, patterns, oracle_name(oracle), device)
    with staged(Path(out), force) as stage, workshop(Path(out), purpose) as folder:
        made = list(_finished(folder, specs, purpose, jobs, executor, known, progress))
        for one in made:
            move(folder, one, stage)
        readme = README.format(tier=tier, version=VERSION)
        (stage / "README.md").write_bytes(readme.encode("ascii"))
        write_manifest(stage, tier, VERSION, [one.record for one in made], _provenance(made, *purpose[2:]))
    if recipe is not None:
        write_recipe(Path(recipe), specs, {case_id: said for one in made for case_id, said in one.hashes.items()})
    return len(specs)


def _finished(
    folder: Path, specs: list[CaseSpec], purpose: tuple[str, tuple[str, ...], str | None, str], jobs: int,
    executor: Executor | None, known: Hashes | None, progress: Progress | None,
) -> Iterator[Made]:  # fmt: skip
    """Yield every group, the kept ones and those that are made; failures are raised when all others are done."""
    sizes, failures, done = _sizes(specs), [], 0
    before = {made.record.name: made for made in kept(folder)}
    work = [Job(folder, *purpose, group) for group in _largest_first(specs) if group not in before]
    outcomes: Iterator[Outcome[Job, Made]] = spread(make_group, work, jobs, executor)
    for name, made, error in chain(_as_outcomes(before), ((str(job), made, error) for job, made, error in outcomes)):
        problem = error or (known is not None and made is not None and _difference(made, known)) or None
        if problem is not None:
            failures.append(problem)
        elif made is not None:
            keep(folder, made)
            yield made
        done += sizes[name]
        if progress:
            progress(done, len(specs))
    if failures:
        raise _together(failures)


def _as_outcomes(before: dict[str, Made]) -> Iterator[tuple[str, Made | None, RefconvError | None]]:
    """Present what an earlier run has finished like that which is to come."""
    yield from ((name, made, None) for name, made in before.items())


def _difference(made: Made, known: Hashes) -> RefconvError | None:
    try:
        check_recipe(made.hashes, known)
    except DisagreementError as error:
        return error
    return None


def _together(failures: list[RefconvError]) -> RefconvError:
    """Return the first failure, which says how many there are."""
    first = failures[0]
    if len(failures) > 1:
        others = ", ".join(str(error).partition(":")[0] for error in failures[1:6])
        first.args = (f"{first}  {len(failures) - 1} more failed: {others}{', ...' if len(failures) > 6 else ''}.",)
    return first


def make_group(job: Job) -> Made:
    """Compute one group and write its two files; runs in a worker."""
    specs = _grouped(job.tier, job.select)[job.group]
    oracle = load_implementation(job.oracle) if job.oracle else None
    opinions = {spec.id: consult(oracle, spec) for spec in specs} if oracle else {}
    flags = sorted({flag for spec in specs for flag in spec.flags})
    group = Group(
        name=job.group, suite=job.tier, header=(FILLS[specs[0].fill].header,),
        notes={flag: note_for(flag, promises_of(job.tier)) for flag in flags}, cases=_golden_cases(specs, job.device),
    )  # fmt: skip
    findings = lint_group(group)
    if findings:
        raise SuiteError(f"{job.group}: nothing was written, since {findings[0]}")
    record = write_group(job.folder, group)
    hashes = hashes_of(json.loads((job.folder / f"{job.group}.json").read_bytes())) if needs_recipe(job.tier) else {}
    return Made(record, opinions, hashes, {spec.id: names for spec in specs if (names := _sampling(spec))})


def _golden_cases(specs: list[CaseSpec], device: str) -> tuple[Case, ...]:
    with computing_on(device):
        return tuple(golden_case(spec) for spec in specs)


@lru_cache(maxsize=2)
def _grouped(tier: str, select: tuple[str, ...]) -> dict[str, list[CaseSpec]]:
    """List the cases of a tier by group, once in each worker."""
    groups: dict[str, list[CaseSpec]] = {}
    for spec in cases(tier, select):
        groups.setdefault(spec.group, []).append(spec)
    return groups


def _largest_first(specs: list[CaseSpec]) -> list[str]:
    """Order the groups by their products, so that no worker begins with the longest when the others go home."""
    costs: dict[str, int] = {}
    for spec in specs:
        work = [] if spec.row.invalid else spec.operations
        costs[spec.group] = costs.get(spec.group, 0) + sum(count_products(spec.problem, name) for name in work)
    return sorted(costs, key=lambda group: -costs[group])


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


def oracle_name(oracle: str | None) -> str | None:
    """Complete ``torch`` to the engine that computes in float64, and see that it is there before work begins."""
    if oracle is None:
        return None
    name = f"{oracle}:float64" if ":" not in oracle else oracle
    load_implementation(name)
    return name


def _provenance(made: list[Made], oracle: str | None, device: str) -> dict[str, Any]:
    packages = ["numpy", "scipy", "ml_dtypes", *([oracle.partition(":")[0]] if oracle else [])]
    opinions = {case: said for one in made for case, said in one.opinions.items()}
    sampled = {case: names for one in made for case, names in one.sampled.items()}
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {"refconv": __version__, **{name: version(name) for name in packages}},
        "witnesses": {reference.name: "every element of every operation" for reference in REFERENCES},
        **({"sample": STATED, "sampled": dict(sorted(sampled.items()))} if sampled else {}),
        **({} if device == "cpu" else {"device of im2col": device}),
        "oracle": oracle,
        "oracleSays": dict(sorted(opinions.items())),
    }
