"""What to say of an operation that no single known defect explains."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from refconv.diagnosis.conditions import Conditions, conditions
from refconv.diagnosis.cut import cut_off
from refconv.diagnosis.defects import known_defects
from refconv.diagnosis.difference import Difference, difference, difference_of_linear
from refconv.diagnosis.numerics import explain_rounding
from refconv.diagnosis.observe import Observation, call
from refconv.diagnosis.pairs import find_pair
from refconv.diagnosis.places import wrong_places
from refconv.diagnosis.probes import FORMAT, Probe, inputs_of, probe_named, probe_of
from refconv.diagnosis.products import ROLES, Array, Floats
from refconv.diagnosis.recover import recover
from refconv.diagnosis.sentences import sentences
from refconv.diagnosis.words import ROUNDING
from refconv.implementations import ARGUMENTS, Runner
from refconv.problem import ConvProblem
from refconv.reference import im2col

PREFERRED = ("asymmetric", "wide", "depthwise", "padded", "grouped", "pointwise", "plain", "even")
OVERHEAD = 5e-4  # of reading one answer, in seconds


@dataclass(frozen=True)
class Explanation:
    """What was found out about one operation.

    Attributes
    ----------
    operation, problem : str
        ``problem`` is the descriptor of the one that was looked at.
    pair : tuple of str
        Two known defects that together predict all results; empty if there are none.
    text : tuple of str
        The sentences that describe the difference to the true operator.
    exact : bool
        Whether these say all of it: evaluated, they give just what was recovered.
    conditions : Conditions or None
        Where it occurs, if it does not occur everywhere.
    remark : str
        What else is known: the format, the layout, the arithmetic, or why nothing could be recovered.
    differences : tuple of Difference
    """

    operation: str
    problem: str
    pair: tuple[str, ...]
    text: tuple[str, ...]
    exact: bool
    conditions: Conditions | None
    remark: str
    differences: tuple[Difference, ...] = field(default=(), repr=False, compare=False)

    def __str__(self) -> str:
        parts = []
        if self.pair:
            parts.append(f"Two known defects together predict every result: {' and '.join(self.pair)}.")
        if self.text:
            parts.append(f"On {self.problem}: {' '.join(self.text)}")
        parts += [str(self.conditions)] if self.conditions else []
        return " ".join([*parts, self.remark]).strip()


def explain(
    runner: Runner, operation: str, items: Sequence[Observation], suspects: Sequence[str], seconds: float = 8.0,
    without: Collection[str] = (),
) -> Explanation:  # fmt: skip
    """Describe what is computed instead, say where, and name two defects if these two predict it.

    Parameters
    ----------
    runner : Runner
    operation : str
    items : sequence of Observation
        What it gave on all problems, the right ones among them.
    suspects : sequence of str
        Defects that explain other operations.
    seconds : float
        About as long as it may take, if the implementation is quick enough.
    without : collection of str
        Defects that are not to be thought of.
    """
    order = {name: number for number, name in enumerate(PREFERRED)}
    wrong = sorted(
        (item for item in items if item.wrong), key=lambda item: (order.get(item.probe, len(order)), item.elements)
    )
    chosen = wrong[0]
    plain = Explanation(operation, chosen.problem, (), (), False, None, "")
    if not all(item.repeatable for item in wrong):
        return replace(plain, remark=_state(wrong))
    cut = cut_off(items)
    if cut:
        return replace(plain, remark=cut)
    found = _where(runner, operation, chosen, items, seconds / 4)
    if any(item.got_shape != item.expected_shape for item in wrong):
        return replace(plain, conditions=found, remark=_setting(items))
    strange = _strange(runner, operation, probe_named(chosen.probe))
    if strange:
        return replace(plain, remark=strange)
    if any(np.isinf(item.results[0]).any() for item in wrong):
        return replace(plain, conditions=found, remark=f"{_infinite(wrong)} {_setting(items)}".strip())
    if max(item.error for item in wrong) < ROUNDING:
        arithmetic = explain_rounding(runner, operation)
        if arithmetic:
            return replace(plain, remark=arithmetic)
    described = _described(runner, operation, wrong, found, plain, seconds / 2)
    suspects = _likely(operation, wrong, suspects)
    pair: tuple[str, ...] = ()
    if suspects or not described.exact:
        pair = find_pair(operation, items, suspects, seconds / 4, without) or ()
    return replace(described, pair=pair, remark=" ".join(filter(None, [described.remark, _setting(items)])))


def _likely(operation: str, wrong: Sequence[Observation], suspects: Sequence[str]) -> list[str]:
    """Return the defects of which one may be a half of a pair: those suspected, and those that predict some results."""
    counted = Counter(slug for item in wrong for slug in item.matches or ())
    found = [*suspects, *(slug for slug, _ in counted.most_common())]
    return [slug for slug in found if operation in known_defects()[slug].operations]


def _described(
    runner: Runner, operation: str, wrong: Sequence[Observation], found: Conditions | None,
    plain: Explanation, seconds: float,
) -> Explanation:  # fmt: skip
    """Recover the operator and describe it."""
    likely = [probe_named(item.probe) for item in wrong]
    if found is not None and wrong[0].probe not in PREFERRED:  # a large one, most of whose attributes do not matter
        simple = (found.roomy, found.smallest)
        likely = [*(probe_of(problem, likely[0].element.name, likely[0].layout) for problem in simple), *likely]
    probe = _affordable(runner, operation, likely, seconds)
    run = Caller(runner, operation, probe)
    recovery = recover(operation, probe.problem, run, seconds, _largest(probe))
    plain = replace(plain, problem=probe.problem.descriptor, conditions=found)
    if not recovery.faithful:
        arithmetic = explain_rounding(runner, operation)
        unclear = f"What it computes could not be recovered: {recovery.remark} {wrong_places(operation, probe, run)}"
        return replace(plain, remark=arithmetic or unclear.strip())
    differences = [difference(operation, recovery.products, recovery.linear)] if operation != "grad_bias" else []
    if recovery.linear is not None:
        differences.append(difference_of_linear(recovery.linear, differences[0] if differences else None))
    text = tuple(dict.fromkeys(line for item in differences for line in sentences(item, recovery.problem)))
    exact = all(item.exact for item in differences)
    remark = "" if text else "The products that it adds up are the right ones; what goes wrong is something else."
    return replace(plain, text=text, exact=exact and bool(text), differences=tuple(differences), remark=remark)


def _affordable(runner: Runner, operation: str, wrong: Sequence[Probe], seconds: float) -> Probe:
    """Return the first of the problems whose recovery will fit into the time, or the quickest."""
    expected: dict[Probe, float] = {}
    for probe in wrong:
        run, name = Caller(runner, operation, probe), ROLES[operation].hot if operation in ROLES else "y"
        begin = time.perf_counter()
        run({key: tensor.astype(np.float64) for key, tensor in probe.tensors.items()})
        calls = 2.2 * math.prod(probe.problem.shape_of(name))
        expected[probe] = calls * (time.perf_counter() - begin + OVERHEAD)
        if expected[probe] < seconds / 2:
            return probe
    return min(expected, key=expected.__getitem__)


@dataclass(frozen=True)
class Caller:
    """Calls one operation with inputs in float64, which it hands over in the format and layout of a probe."""

    runner: Runner
    operation: str
    probe: Probe

    def __call__(self, inputs: dict[str, Array]) -> Floats:
        """Run it."""
        tensors = {name: self.probe.prepared(tensor) for name, tensor in inputs.items()}
        return call(self.runner, self.operation, tensors, self.probe.problem)


def _largest(probe: Probe) -> int:
    return 2**22 if probe.element.precision >= FORMAT.precision else 0  # 0: codes of few digits


def _where(
    runner: Runner, operation: str, chosen: Observation, items: Sequence[Observation], seconds: float
) -> Conditions | None:  # fmt: skip
    """Search for the conditions, if the operation is right somewhere."""
    probe = probe_named(chosen.probe)
    if len(items) > 1 and all(item.wrong for item in items):
        return None

    def fails(problem: ConvProblem) -> bool | None:
        try:
            tensors = inputs_of("conditions", problem, probe.element, ARGUMENTS[operation])
            got = call(runner, operation, {name: probe.prepared(tensor) for name, tensor in tensors.items()}, problem)
        except Exception:  # refused, or not exact in this format
            return None
        arguments = [tensors[name].astype(np.float64) for name in ARGUMENTS[operation]]
        return not np.array_equal(got, getattr(im2col, operation)(*arguments, problem))

    found = conditions(probe.problem, fails, seconds)
    return None if _setting(items) and not found.found else found


def _setting(items: Sequence[Observation]) -> str:
    """Say if it goes wrong in some formats or layouts only."""
    wrong, right = ([probe_named(item.probe) for item in items if bool(item.wrong) == is_wrong] for is_wrong in (1, 0))
    usual = {probe.problem for probe in right if probe.is_usual}
    if not wrong or not all(probe.problem in usual for probe in wrong):
        return ""
    layouts = sorted({probe.layout for probe in wrong} - {"C"})
    if layouts:
        return f"Only where the inputs are not contiguous ({' and '.join(layouts)}): with contiguous ones it is right."
    formats = " and ".join(dict.fromkeys(probe.element.name for probe in wrong))
    others = " and ".join(dict.fromkeys(p.element.name for p in right if p.problem in {w.problem for w in wrong}))
    return f"Only in {formats}: on the same problem it is right in {others}."


def _strange(runner: Runner, operation: str, probe: Probe) -> str:
    """Say if a gradient depends on a tensor that has no part in it."""
    used = ARGUMENTS[operation]
    tensors = {name: tensor.astype(np.float64) for name, tensor in probe.tensors.items()}
    run = Caller(runner, operation, probe)
    for name in ("x", "weight", "grad_output"):
        if (
            operation != "forward"
            and name not in used
            and not np.array_equal(run(tensors), run(tensors | {name: np.zeros_like(tensors[name])}))
        ):
            return (
                f"It depends on {name}, which has no part in it: perhaps that is read instead of {' or '.join(used)}."
            )
    return ""


def _infinite(wrong: Sequence[Observation]) -> str:
    """Say that results leave a range."""
    largest = max(float(np.abs(probe_named(item.probe).truth[item.operation]).max()) for item in wrong)
    return (
        f"Infinities come out although no correct result exceeds {largest:.0f}: products or sums are kept in a format "
        "of small range, as float16 is (65504)."
    )


def _state(wrong: Sequence[Observation]) -> str:
    """Say how a second call differs from the first."""
    truths = [probe_named(item.probe).truth[item.operation] for item in wrong]
    first_right = all(np.array_equal(item.results[0], truth) for item, truth in zip(wrong, truths, strict=True))
    doubled = all(np.array_equal(item.results[1], 2 * item.results[0]) for item in wrong)
    text = "The first call is right, and the second one is not" if first_right else "The first call is wrong already"
    return f"{text}{': it returns twice as much, as if it added to the first result' if doubled else ''}."
