"""Measure which faulty layers the cases of the axes tier catch, operator by operator, and freeze it.

    python scripts/select_axes.py vectors/axes            # measure, print, and fail if a model is not caught twice
    python scripts/select_axes.py vectors/axes --write    # refconv/catalogue/kills_axes.json and docs/axes.md too

Only exact cases count, and only wrong values: a model that has no answer for a number of axes catches nothing.
Whether a model that nothing catches is the right layer there is tried on random problems.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import defaultdict

import numpy as np
from axes_page import page
from select_core import PACKAGE, costs_of

from refconv import ConvProblem, GeometryError, check, load_suite
from refconv.catalogue.kills import AXES, Kills
from refconv.catalogue.operators import OPERATORS, operator_of
from refconv.catalogue.selection import cover
from refconv.diagnosis.defects import all_defects, transposed_defects
from refconv.diagnosis.defects.transposed import TransposedLayer
from refconv.diagnosis.kills import catches
from refconv.diagnosis.layer import Layer
from refconv.implementations import ARGUMENTS
from refconv.problem import TransposedProblem

TRIED = 60  # random problems on which a model that nothing catches is compared with the right layer


def models_of(operator):
    """Return the defect models of an operator by slug."""
    return transposed_defects() if "transpose" in operator else all_defects()


def measured(suite):
    """Return who catches whom."""
    caught = {f"{operator}/{slug}": [] for operator in OPERATORS for slug in models_of(operator)}
    for case in suite:
        operator = operator_of(case.problem)
        if operator in OPERATORS and all(found.judge.rule == "exact" for found in case.expected.values()):
            for slug, model in models_of(operator).items():
                if catches(case, model):
                    caught[f"{operator}/{slug}"].append(case.id)
    return Kills(suite.version, tuple(suite.ids), caught, by_check(suite, caught))


def by_check(suite, caught):
    """Return the cases on which check finds the models that only a second call shows."""
    found = {}
    for name in caught:
        operator, _, slug = name.partition("/")
        if models_of(operator)[slug].stateful:
            report = check(models_of(operator)[slug](), suite, [f"{operator.replace('_', '-')}-float32-exact/*"])
            found[name] = list(dict.fromkeys(outcome.case_id for outcome in report.failures))
    return found


def why_uncaught(name):
    """Say why nothing can catch a model; empty if something should."""
    operator, _, slug = name.partition("/")
    transposed, axes, model = "transpose" in operator, int(operator[-2]), models_of(operator)[slug]
    right = TransposedLayer() if transposed else Layer()
    draw = random.Random(name)
    try:
        same = all(_same(model(), right, problem, model.operations) for problem in _problems(draw, axes, transposed))
    except (ValueError, IndexError):
        return "needs more axes"
    return "is the right layer along one axis" if same and axes == 1 else ""


def _same(one, other, problem, operations):
    numbers = np.random.default_rng(len(problem.descriptor))
    tensors = {name: numbers.integers(-99, 99, problem.shape_of(name)).astype(float)
               for name in ("x", "weight", "bias", "grad_output")}  # fmt: skip
    for operation in operations:
        arguments = [tensors[name] for name in ARGUMENTS[operation]]
        first, second = (getattr(layer, operation)(*arguments, problem) for layer in (one, other))
        if first.shape != second.shape or not np.array_equal(first, second):
            return False
    return True


def _problems(draw, axes, transposed):
    """Draw legal problems."""
    found = []
    while len(found) < TRIED:
        groups = draw.choice((1, 1, 2, 3))
        fields = dict(
            batch=draw.randint(1, 3), in_channels=groups * draw.randint(1, 3), out_channels=groups * draw.randint(1, 3),
            groups=groups, input_size=tuple(draw.randint(1, 7) for _ in range(axes)),
            kernel_size=tuple(draw.randint(1, 4) for _ in range(axes)),
            stride=tuple(draw.randint(1, 3) for _ in range(axes)),
            dilation=tuple(draw.randint(1, 3) for _ in range(axes)),
            padding=tuple((draw.randint(0, 2), draw.randint(0, 2)) for _ in range(axes)),
        )  # fmt: skip
        if transposed:
            fields["output_padding"] = tuple(draw.randint(0, 2) for _ in range(axes))
        try:
            found.append((TransposedProblem if transposed else ConvProblem)(**fields))
        except GeometryError:
            continue
    return found


def main():
    """Measure, print, write; 1 if a model that could be caught is caught by fewer than two cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    suite = load_suite(options.suite)
    kills = measured(suite)
    rare = [name for name, ids in kills.all.items() if len(ids) < 2]
    reasons = {name: why_uncaught(name) for name in rare if not kills.all[name]}
    minimum = cover(kills.by_values, costs_of(options.suite), 2)
    counts = defaultdict(lambda: [0, 0, 0])
    for name, ids in kills.all.items():
        row = counts[name.partition("/")[0]]
        row[0], row[1], row[2] = row[0] + 1, row[1] + bool(reasons.get(name)), row[2] + (len(ids) > 1)
    for operator, (models, never, twice) in counts.items():
        print(f"{operator}: {models} models, {never} have nothing to show, {twice} of {models - never} caught twice")
    print(f"{len(minimum)} of {len(suite)} cases catch each of them twice")
    missing = [name for name in rare if not reasons.get(name)]
    print("not twice:", ", ".join(missing) or "none")
    if options.write:
        (PACKAGE / AXES).write_text(kills.text(), encoding="ascii")
        text = page(kills, OPERATORS, counts, reasons, minimum)
        (PACKAGE.parents[1] / "docs" / "axes.md").write_text(text, encoding="utf-8")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
