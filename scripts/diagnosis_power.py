"""How often diagnose is right: every defect model, each without its own model, random pairs, and strange layers.

python scripts/diagnosis_power.py [times] [models] [without] [pairs] [strange] [--part 2/3]

Time limits count the time of the processor, but for "times", which measures with the clock on the wall.  Exits with 1
if fewer than 95 % of the models come first, one is not described without its model (tap by tap, in words or by another
name), fewer than 80 % of the pairs are named or described, a strange layer is not told, or time runs out.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from refconv.diagnosis import diagnose
from refconv.diagnosis.defects import Defect, every_defect
from refconv.diagnosis.explain import Explanation
from refconv.diagnosis.pairs import together
from refconv.implementations import load_implementation
from refconv.problem import ConvProblem

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from read_back import function_of, says_what_it_does

PAIRS = 100
VERDICTS = ("tap by tap", "named otherwise", "in words", "not described", "WRONG", "not seen")


def use_processor_time() -> None:
    """Let time limits count the time of the processor, so that a busy machine makes no difference."""
    clock = SimpleNamespace(monotonic=time.process_time, perf_counter=time.process_time)
    for name in ("conditions", "explain", "pairs", "recover", "wider", "narrow"):
        vars(importlib.import_module(f"refconv.diagnosis.{name}"))["time"] = clock


def models(part: slice) -> bool:
    """Name every defect model, those that wait for a trigger, too."""
    right, alone, slowest = 0, 0, 0.0
    chosen = list(every_defect().items())[part]
    for slug, defect in chosen:
        begin = time.process_time()
        found = diagnose(defect())
        slowest = max(slowest, time.process_time() - begin)
        first = found.findings[0].defects if found.findings else ()
        right, alone = right + (slug in first), alone + (first == (slug,))
        if first != (slug,):
            print(f"  {slug}: {found.defects}", flush=True)
    count = len(chosen)
    print(f"models: {right} of {count} at the first place, {alone} without an equal; slowest {slowest:.1f} s")
    return right >= 0.95 * count


def without(part: slice) -> bool:
    """Describe every defect as if nobody had written its model; where its example is needed, that is given."""
    verdicts: Counter[str] = Counter()
    for slug, defect in list(every_defect().items())[part]:
        example = getattr(defect, "example", None)
        problem = ConvProblem.from_descriptor(example) if example else None
        found = diagnose(defect(), without=[slug], problem=problem)
        operations = {item.operation: described(item, defect) for item in found.explanations}
        operations |= dict.fromkeys((name for item in found.findings for name in item.operations), "named otherwise")
        verdict = max(operations.values(), key=VERDICTS.index, default="not seen")
        verdicts[verdict] += 1
        if verdict != VERDICTS[0]:
            print(f"  {slug}: {operations or 'not seen'} {found.defects or ''}")
            said = {item.operation: str(item) for item in found.explanations if not item.exact}
            print(
                *(f"    {name}: {text}" for name, text in said.items()), sep="\n", end="\n" if said else "", flush=True
            )
    print(f"without their own models: {dict(verdicts)}")
    return not any(verdicts[verdict] for verdict in VERDICTS[-3:])


def described(item: Explanation, defect: type[Defect]) -> str:
    """Say how an operation is described; what is said tap by tap is computed with, on new inputs."""
    if item.exact:
        problem, dtype = ConvProblem.from_descriptor(item.problem), np.dtype(getattr(defect, "dtype", "float64"))
        function = function_of(defect(), item.operation, problem, dtype)
        told = says_what_it_does(item.differences, function, item.operation, problem)
        return "tap by tap" if told else "WRONG"
    is_told = "could not be recovered" not in item.remark or ". On n" in item.remark  # then by its places
    return "in words" if item.remark and not item.text and is_told else "not described"


def pairs(part: slice) -> bool:
    """Draw pairs; every operation must be named, by one or two models, or described exactly."""
    draw, slugs = random.Random(2026), [slug for slug, defect in every_defect().items() if not defect.stateful]
    verdicts: Counter[str] = Counter()
    times = []
    for first, second in [draw.sample(slugs, 2) for _ in range(PAIRS)][part]:
        begin = time.process_time()
        found = diagnose(together(first, second)())
        times.append(time.process_time() - begin)
        named = set(found.defects) | {slug for item in found.explanations for slug in item.pair}
        unclear = [item for item in found.explanations if not (item.exact or item.pair)]
        if {first, second} <= named:
            verdict = "both named"
        elif not unclear and {first, second} & named:
            verdict = "one named, all operations named or described"
        elif not unclear:
            verdict = "described exactly"
        else:
            verdict = "in words" if all(item.remark and not item.text for item in unclear) else "listed"
        if verdict != "both named":
            print(
                f"  {first} + {second}: {verdict}: {sorted(named)} {[str(item)[:160] for item in unclear]}", flush=True
            )
        verdicts[verdict] += 1
    print(f"pairs: {dict(verdicts)}; slowest {max(times):.1f} s, median {np.median(times):.1f} s")
    return verdicts["in words"] + verdicts["listed"] <= 0.2 * len(times)


def strange(part: slice) -> bool:
    """Print each diagnosis beside the truth."""
    from more_strange_layers import LAYERS as MORE
    from strange_layers import LAYERS

    told = True
    for name, layer, truth, words in [*LAYERS, *MORE][part]:
        begin = time.process_time()
        text = diagnose(layer).description
        verdict = "told" if all(word in text for word in words) else "NOT TOLD"
        told &= verdict == "told"
        print(f"{name} ({time.process_time() - begin:.1f} s): {verdict}\n  truth: {truth}\n  said: {text}")
    return told


CORRECT, FAULTY = 5, 15  # seconds that a diagnosis may take


def times() -> bool:
    """Time the diagnosis of right layers, and of those wrong ones that take longest: two bugs, and no known one."""
    from more_strange_layers import LAYERS as MORE
    from strange_layers import LAYERS

    right = {name: load_implementation(name) for name in ("direct", "sparse", "im2col", "torch", "onnxruntime")}
    wrong = {name: layer for name, layer, *_ in (*LAYERS, *MORE)}
    wrong |= {slug: defect() for slug, defect in list(every_defect().items())[::9]}
    kept = True
    for limit, layers in ((CORRECT, right), (FAULTY, wrong)):
        for name, layer in layers.items():
            begin = time.perf_counter()
            found = diagnose(layer)
            seconds = time.perf_counter() - begin
            kept &= seconds < limit and found.correct == (layers is right)
            print(f"{name:32} {seconds:5.1f} s of {limit}, {'correct' if found.correct else 'faulty'}", flush=True)
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    return kept


def part_of(text: str) -> slice:
    """Return which of every n models ``k/n`` means, counted from 1."""
    number, count = map(int, text.split("/"))
    return slice(number - 1, None, count)


def main() -> int:
    """Run what is asked for, or everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = {"models": models, "without": without, "pairs": pairs, "strange": strange}
    parser.add_argument("what", nargs="*", metavar="WHAT", help="times, models, without, pairs or strange")
    parser.add_argument("--part", type=part_of, default=slice(None), metavar="K/N", help="only every N-th model")
    chosen = parser.parse_args()
    wanted = chosen.what or ["times", *kinds]
    if unknown := set(wanted) - {"times", *kinds}:
        parser.error(f"there is no {', '.join(unknown)}")
    kept = times() if "times" in wanted else True
    use_processor_time()
    for name in kinds:
        if name in wanted:
            kept &= kinds[name](chosen.part)
    return not kept


if __name__ == "__main__":
    sys.exit(main())
