"""More problems, for bugs that wait for many channels, certain kernels, a format or a layout of memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import product, takewhile

import numpy as np

from refconv.diagnosis.defects import triggered_defects
from refconv.diagnosis.observe import Observation, observed
from refconv.diagnosis.probes import FORMAT, LAYOUTS, PROBLEMS, Probe, probe_of, probes
from refconv.diagnosis.products import count_products
from refconv.errors import FormatError
from refconv.implementations import Runner
from refconv.problem import OPERATIONS, ConvProblem

SECONDS = 2.0
QUICK = 2**15  # products of a given problem that is run in all formats

SMALL = "n2c4i5x4-k6w2x3-s2x1-d1x1-p1+0x1+0-g2-o3x3"  # sums of ones fit even into bfloat16
FORMATS = ("float64", "float16", "bfloat16", "int8", "uint8")

WIDER = (
    "n1c8i9x9-k8w3x3-s1x1-d1x1-p1+1x1+1-g1-o9x9",
    "n9c16i7x6-k17w3x3-s1x1-d1x1-p0+0x0+0-g1-o5x4",
    "n1c64i7x9-k16w3x3-s1x1-d1x1-p1+1x1+1-g1-o7x9",
    "n2c65i5x8-k33w1x1-s1x1-d1x1-p0+0x0+0-g1-o5x8",
    "n1c17i6x7-k65w3x2-s2x1-d1x1-p1+1x0+1-g1-o3x7",
    "n1c3i33x32-k8w5x5-s1x1-d1x1-p2+2x2+2-g1-o33x32",
    "n1c3i32x33-k5w7x7-s2x2-d1x1-p3+3x3+3-g1-o16x17",
    "n1c32i8x9-k32w3x3-s1x1-d1x1-p1+1x1+1-g32-o8x9",
    "n2c33i9x8-k33w3x3-s2x2-d1x1-p1+1x1+1-g33-o5x4",
    "n1c64i5x6-k64w3x3-s1x1-d2x2-p2+2x2+2-g4-o5x6",
    "n1c1i19x24-k1w5x3-s1x1-d1x1-p0+0x0+0-g1-o15x22",
    "n17c2i4x4-k3w3x3-s1x1-d1x1-p1+1x1+1-g1-o4x4",
    "n1c5i9x31-k4w1x7-s1x3-d1x1-p0+0x3+3-g1-o9x11",
    "n1c4i28x7-k12w7x1-s3x1-d1x1-p3+3x0+0-g2-o10x7",
    "n1c128i3x4-k9w1x1-s1x1-d1x1-p0+0x0+0-g1-o3x4",
    "n3c8i12x12-k4w2x2-s2x2-d1x1-p0+0x0+0-g1-o6x6",
)


def wider_probes(without: Collection[str] = (), given: Iterable[ConvProblem] = ()) -> Iterator[Probe]:
    """Yield them one by one, since each takes a few milliseconds to make.

    Other formats of given problems come first, then other layouts and formats of a small one, what is wider, and the
    examples of known bugs that show on particular problems only, the quick ones first: slow implementations do not get
    to the end.
    """
    quick = [problem for problem in given if count_products(problem) <= QUICK]
    for problem, element in product(quick, FORMATS):
        with suppress(FormatError):  # its sums are too long to be exact
            yield probe_of(problem, element)
    asymmetric = ConvProblem.from_descriptor(PROBLEMS["asymmetric"])
    yield from (probe_of(asymmetric, layout=layout) for layout in LAYOUTS[1:])
    small = ConvProblem.from_descriptor(SMALL)
    yield from (probe_of(small, element) for element in ("float32", *FORMATS))
    known = {
        (ConvProblem.from_descriptor(defect.example), element)
        for slug, defect in triggered_defects().items()
        for element in (FORMAT.name, defect.dtype)
        if slug not in without
    }
    wider = {(ConvProblem.from_descriptor(text), FORMAT.name) for text in WIDER}
    yield from (probe_of(*key) for key in sorted(known | wider, key=_work))


def _work(key: tuple[ConvProblem, str]) -> tuple[int, str]:
    """Count the products of a problem; its name decides where they are as many."""
    problem = key[0]
    return count_products(problem), f"{problem} {key[1]}"


def build_ahead(enough: Callable[[], bool]) -> None:
    """Make the problems, those that come first first, until it is enough."""
    probes()
    for _ in wider_probes():
        if enough():
            return


def observe_wider(
    runner: Runner, operations: Sequence[str] = OPERATIONS, without: Collection[str] = (),
    given: Iterable[ConvProblem] = (), seconds: float = SECONDS,
) -> list[Observation]:  # fmt: skip
    """Run operations on wider problems until the time is over; what is refused does not count."""
    end = time.monotonic() + seconds
    in_time = takewhile(lambda _: time.monotonic() < end, wider_probes(without, given) if operations else ())
    meant = (probe for probe in in_time if not (probe.element.is_integer and _stays_narrow(runner, probe)))
    seen = observed(runner, ((operation, probe) for probe in meant for operation in operations))
    return [item for item in seen if isinstance(item, Observation)]


def _stays_narrow(runner: Runner, probe: Probe) -> bool:
    """Say whether 8-bit integers are added up in 8 bits: then they are not meant to be taken."""
    for operation in OPERATIONS:
        try:
            with np.errstate(all="ignore"):
                return np.asarray(runner.run(operation, probe.copies(), probe.problem)).dtype.itemsize == 1
        except Exception:  # not offered, or refused
            continue
    return False
