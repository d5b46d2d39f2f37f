"""How often diagnose is right: every defect model, each without its own model, random pairs, and strange layers.

python scripts/diagnosis_power.py [models] [without] [pairs [COUNT]] [strange]
"""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from refconv.diagnosis import all_defects, diagnose
from refconv.diagnosis.explain import explain
from refconv.diagnosis.observe import observe
from refconv.diagnosis.pairs import together
from refconv.implementations import as_runner

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))


def models() -> None:
    """Name every defect model."""
    right, slowest = 0, 0.0
    for slug, defect in all_defects().items():
        begin = time.perf_counter()
        found = diagnose(defect())
        slowest = max(slowest, time.perf_counter() - begin)
        right += slug in (found.findings[0].defects if found.findings else ())
        if found.defect != slug:
            print(f"  {slug}: {found.defects}")
    print(f"models: {right} of {len(all_defects())} at the first place; slowest {slowest:.1f} s")


def without() -> None:
    """Describe every defect as if there were no models."""
    verdicts: Counter[str] = Counter()
    for slug, defect in all_defects().items():
        runner = as_runner(defect())
        observations, _ = observe(runner)
        states = []
        for operation in defect.operations:
            items = [replace(item, matches=()) for item in observations if item.operation == operation]
            found = explain(runner, operation, items, [], seconds=8)
            states.append("exact" if found.exact else "in words" if found.remark and not found.text else "listed")
        verdict = min(states, key=["listed", "in words", "exact"].index)
        verdicts[verdict] += 1
        if verdict != "exact":
            print(f"  {slug}: {verdict}: {found}")
    print(f"without their own models: {dict(verdicts)}")


def pairs(count: int = 100) -> None:
    """Draw pairs; every operation must be named, by one or two models, or described exactly."""
    draw, slugs = random.Random(2026), [slug for slug, defect in all_defects().items() if not defect.stateful]
    verdicts: Counter[str] = Counter()
    done, times = 0, []
    while done < count:
        first, second = draw.sample(slugs, 2)
        layer = together(first, second)
        begin = time.perf_counter()
        found = diagnose(layer())
        times.append(time.perf_counter() - begin)
        done += 1
        named = set(found.defects) | {slug for item in found.explanations for slug in item.pair}
        unclear = [item for item in found.explanations if not (item.exact or item.pair)]
        if {first, second} <= named:
            verdict = "both named"
        elif not unclear:
            verdict = "named or described exactly"
        else:
            verdict = "in words" if all(item.remark and not item.text for item in unclear) else "listed"
            print(f"  {first} + {second}: {[str(item)[:160] for item in unclear]}")
        verdicts[verdict] += 1
    print(f"pairs: {dict(verdicts)}; slowest {max(times):.1f} s, median {np.median(times):.1f} s")


def strange() -> None:
    """Print each diagnosis beside the truth."""
    from strange_layers import LAYERS

    for name, layer, truth, words in LAYERS:
        begin = time.perf_counter()
        text = diagnose(layer).description
        verdict = "told" if all(word in text for word in words) else "NOT TOLD"
        print(f"{name} ({time.perf_counter() - begin:.1f} s): {verdict}\n  truth: {truth}\n  said: {text}")


def main() -> None:
    """Run what is asked for, or everything."""
    wanted = sys.argv[1:] or ["models", "without", "pairs", "strange"]
    for name, following in itertools.zip_longest(wanted, wanted[1:]):
        if name == "pairs":
            pairs(int(following) if following and following.isdigit() else 100)
        elif not name.isdigit():
            {"models": models, "without": without, "strange": strange}[name]()


if __name__ == "__main__":
    main()
