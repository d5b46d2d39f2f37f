"""Make the covering array of the axes tier: ``python scripts/make_operator_arrays.py``.

Appends to ``refconv/catalogue/arrays/operators.tsv`` the rows that its pairs lack; a published row never changes.
Rows are chosen one after the other, each block of factors in turn by how many missing pairs it adds.  What a row has
is found by walking along its axes and counting; ``refconv.catalogue.operators`` counts what the rows cover by
formulas, and shares nothing with this script.
"""

import itertools
import random
from collections import Counter, defaultdict
from math import prod
from pathlib import Path

import numpy as np

from refconv import ConvProblem, GeometryError
from refconv.errors import FormatError
from refconv.fills import exact_ranges
from refconv.formats import get_format
from refconv.problem import TransposedProblem, named_padding
from refconv.problem.padding import named_transposed_padding

OUT = Path(__file__).parents[1] / "refconv" / "catalogue" / "arrays" / "operators.tsv"
OPERATORS = {"conv1d": (ConvProblem, 1), "conv3d": (ConvProblem, 3), "conv_transpose1d": (TransposedProblem, 1),
             "conv_transpose2d": (TransposedProblem, 2), "conv_transpose3d": (TransposedProblem, 3)}  # fmt: skip
HEAD = "problem\tbias\telement\tjudged"
OPERATIONS = ("forward", "grad_input", "grad_weight", "grad_bias")
LARGEST = {"exact": 1200, "interval": 500}  # elements of x, weight and y
PRODUCTS = 12_000
TRIES = 8  # rows that are tried for each that is taken


def up_to(number, cap):
    """Write a level."""
    return str(number) if number < cap else f"{cap}+"


def pad_levels(fields):
    """Name the two pads of an axis."""
    return tuple("<0" if pad < 0 else up_to(pad, 2) for pad in fields["padding"])


def rule(pads, named):
    """Name the rule by which an axis is padded."""
    names = [name for name in ("valid", "same_upper", "same_lower") if named(name) == pads]
    if "valid" in names:
        return "valid"
    if names:
        return "same" if len(names) == 2 else names[0].replace("_", "-")
    return "symmetric" if pads[0] == pads[1] else "asymmetric"


def convolution_levels(fields):
    """Walk along an axis of a convolution; None where it does not exist, or no tap meets the image."""
    length, kernel, stride, dilation = (fields[name] for name in ("length", "kernel", "stride", "dilation"))
    begin, end = fields["padding"]
    taps = [tap * dilation for tap in range(kernel)]
    starts = [o for o in range(0, max(0, length + begin + end), stride) if o + taps[-1] < length + begin + end]
    met = any(0 <= o + tap - begin < length for o in starts for tap in taps)
    if not met or min(begin, end) <= -length:
        return None
    fields["outputs"] = len(starts)
    size = "one" if length == 1 else "fit" if length == taps[-1] + 1 else "under" if length <= taps[-1] else "even" if (
        length % 2 == 0) else "odd"  # fmt: skip

    def named(name):
        return named_padding(name, (length,), (kernel,), (stride,), (dilation,))[0]

    return (
        size, up_to(kernel, 4), up_to(stride, 3), up_to(dilation, 3), *pad_levels(fields),
        "no" if starts[-1] + taps[-1] == length + begin + end - 1 else "yes", outputs_level(len(starts)),
        rule((begin, end), named),
    )  # fmt: skip


def transposed_levels(fields):
    """Walk along an axis of a transposed convolution; None where it does not exist, or no output is reached."""
    length, kernel, stride, dilation = (fields[name] for name in ("length", "kernel", "stride", "dilation"))
    (begin, end), extra = fields["padding"], fields["extra"]
    taps = [tap * dilation for tap in range(kernel)]
    reached = {i * stride + tap for i in range(length) for tap in taps}
    kept = range(begin, max(reached) + 1 - end + extra)
    if not reached & set(kept) or min(begin, end - extra) > max(reached) or extra >= max(stride, dilation):
        return None
    fields["outputs"] = len(kept)
    long = Counter(i * stride + tap for i in range(40) for tap in taps)
    inside = {long[place] for place in range(20 * stride, 21 * stride)}
    overlap = "gaps" if 0 in inside else "uneven" if len(inside) > 1 else "single" if inside == {1} else "equal"

    def named(name):
        pads, more = named_transposed_padding(name, (kernel,), (stride,), (dilation,), (0,))
        if more[0] != extra:  # what is added on top is cut off again
            pads, more = named_transposed_padding(name, (kernel,), (stride,), (dilation,), (extra,))
        return pads[0] if more[0] == extra else None

    return (
        "one" if length == 1 else ("even", "odd")[length % 2], up_to(kernel, 4), up_to(stride, 3), up_to(dilation, 3),
        *pad_levels(fields), up_to(extra, 2), overlap, outputs_level(len(kept)), rule((begin, end), named),
    )  # fmt: skip


def outputs_level(count):
    """Name a number of outputs."""
    return "1" if count == 1 else "2-4" if count < 5 else "5+"


def axes_of(transposed):
    """Sort all small axes by their levels, the three cheapest of each."""
    found = defaultdict(list)
    levels = transposed_levels if transposed else convolution_levels
    sizes = itertools.product(
        range(1, 5) if transposed else range(1, 9), range(1, 7), (1, 2, 3, 4) if transposed else (1, 2, 3, 8),
        range(1, 4), range(-2, 17), range(-2, 17), range(3) if transposed else (0,))  # fmt: skip
    for length, kernel, stride, dilation, begin, end, extra in sizes:
        if min(begin, end) < 3:
            fields = {"length": length, "kernel": kernel, "stride": stride, "dilation": dilation,
                      "padding": (begin, end), "extra": extra}  # fmt: skip
            if found_levels := levels(fields):
                found[found_levels].append(fields)
    return {
        key: sorted(some, key=lambda one: (one["length"] * one["kernel"] * one["outputs"], str(one)))[:3]
        for key, some in found.items()
    }


def channel_levels():
    """List channels per group, groups, and what they make."""
    for inner, outer, groups in itertools.product(("1", "2", "3+"), repeat=3):
        kind = "dense" if groups == "1" else "grouped" if inner != "1" else ("multiplier", "depthwise")[outer == "1"]
        yield inner, outer, groups, kind


def arithmetic_levels():
    """List bias, format and rule, with the operations that there are."""
    for bias, element, judged in itertools.product(
        ("yes", "no"), ("float32", "float64", "float16", "bfloat16", "int8"), ("exact", "interval")
    ):
        if (element, judged) != ("int8", "interval"):
            several = OPERATIONS[:1] if element == "int8" else OPERATIONS[: 4 if bias == "yes" else 3]
            yield bias, element, judged, several


class Search:
    """The rows of one operator, chosen one after the other."""

    def __init__(self, operator):
        """List the blocks of factors, what they can be, and the pairs that are wanted."""
        self.kind, axes = OPERATORS[operator]
        self.axes = axes_of(self.kind is TransposedProblem)
        self.choices = [list(self.axes)] * axes + [list(channel_levels()), [(n,) for n in ("1", "2", "3+")],
                                                   list(arithmetic_levels())]  # fmt: skip
        names = [dict.fromkeys(value for choice in some for value in labels(place, choice))
                 for place, some in enumerate(self.choices)]  # fmt: skip
        self.names = list(itertools.chain(*names))
        place = {name: index for index, name in enumerate(self.names)}
        self.has = []
        for block, some in enumerate(self.choices):
            table = np.zeros((len(some), len(place)), dtype=np.float32)
            for row, choice in enumerate(some):
                table[row, [place[value] for value in labels(block, choice)]] = 1
            self.has.append(table)
        self.missing = np.ones((len(place), len(place)), dtype=np.float32)
        for table in self.has:
            own = table.any(0)
            self.missing[np.ix_(own, own)] = (table.T @ table)[np.ix_(own, own)] > 0
        operations = [place[name] for name in place if name[1] == "operation"]
        self.missing[np.ix_(operations, operations)] = 0
        np.fill_diagonal(self.missing, 0)
        self.draw = random.Random(operator)

    def rows(self):
        """Yield rows until no pair is missing."""
        number = 0
        while self.missing.any():
            pulls = [table @ self.missing for table in self.has]
            inner = [(pull * table).sum(1) / 2 for pull, table in zip(pulls, self.has, strict=True)]
            tried = [self.climb(number, pulls, inner) for _ in range(TRIES)]
            gain, _, has, line = max(tried, key=lambda one: one[:2])
            if not gain:
                left = [[self.names[place] for place in pair] for pair in np.argwhere(np.triu(self.missing))]
                raise SystemExit(f"pairs are missing, and no row has one: {left}")
            self.missing[np.ix_(has, has)] = 0
            number += 1
            yield line

    def learn(self, line):
        """Take the pairs of a frozen row off the missing ones."""
        text, bias, element, judged = line.split("\t")
        p = self.kind.from_descriptor(text)
        levels = transposed_levels if self.kind is TransposedProblem else convolution_levels
        fields = zip(p.input_size, p.kernel_size, p.stride, p.dilation, p.padding,
                     getattr(p, "output_padding", p.stride), strict=True)  # fmt: skip
        rows = [levels(dict(zip(("length", "kernel", "stride", "dilation", "padding", "extra"), axis, strict=True)))
                for axis in fields]  # fmt: skip
        channels = tuple(up_to(n, 3) for n in (p.in_channels // p.groups, p.out_channels // p.groups, p.groups))
        rows.append(next(row for row in channel_levels() if row[:3] == channels))
        rows += [(up_to(p.batch, 3),), next(row for row in arithmetic_levels() if row[:3] == (bias, element, judged))]
        has = [self.names.index(name) for block, row in enumerate(rows) for name in labels(block, row)]
        self.missing[np.ix_(has, has)] = 0

    def climb(self, number, pulls, inner):
        """Begin with a missing pair, then change one block after the other to what adds most."""
        pair = self.draw.choice(np.argwhere(self.missing))
        row, unset = [0] * len(self.choices), set(range(len(self.choices)))
        order = sorted(unset, key=lambda block: (not self.has[block][:, pair].any(), self.draw.random()))
        best = (0, 0, None, None)
        for turn, block in [(turn, block) for turn in range(2) for block in order]:
            unset.discard(block)
            gain = inner[block] + [self.draw.random() / 2 for _ in inner[block]]
            for other in set(range(len(row))) - unset - {block}:
                gain += pulls[block] @ self.has[other][row[other]]
            if not turn:  # what has the pair comes first
                gain += 1e6 * self.has[block][:, pair].sum(1)
            for choice in np.argsort(-gain)[:400]:
                trial = [*row[:block], int(choice), *row[block + 1 :]]
                made = self.problem(trial, number, unset)
                if made:
                    row = trial
                    break
            if made and not unset:
                has = self.of(row)
                found = (self.missing[np.ix_(has, has)].sum() / 2, -made[0], has, made[1])
                best = max(best, found, key=lambda one: one[:2])
        return best

    def of(self, row):
        """Return the places of the values that a row has."""
        return np.flatnonzero(sum(table[choice] for table, choice in zip(self.has, row, strict=True)))

    def problem(self, row, number, unset):
        """Return the size and the line of a row, None if it is too large; what is not chosen yet is small."""
        *axes, channels, (batch,), (bias, element, judged, _) = (
            some[choice] for some, choice in zip(self.choices, row, strict=True))  # fmt: skip
        axes = [self.axes[axis][0 if place in unset else (number + place) % len(self.axes[axis])]
                for place, axis in enumerate(axes)]  # fmt: skip
        inner, outer, groups = (int(level[0]) + (level == "3+") * (number % 2) for level in channels[:3])
        try:
            problem = self.kind(
                batch=int(batch[0]), in_channels=inner * groups, out_channels=outer * groups, groups=groups,
                input_size=tuple(axis["length"] for axis in axes), kernel_size=tuple(axis["kernel"] for axis in axes),
                stride=tuple(axis["stride"] for axis in axes), dilation=tuple(axis["dilation"] for axis in axes),
                padding=tuple(axis["padding"] for axis in axes),
                **({"output_padding": tuple(axis["extra"] for axis in axes)} if self.kind is TransposedProblem else {}),
            )  # fmt: skip
            budget = {"float16": 2048, "bfloat16": 256}.get(element, 2**24)
            ranges = exact_ranges(problem, get_format(element), budget, bias == "yes")
        except (GeometryError, FormatError):
            return None
        if judged == "exact" and ranges.grad_output * problem.reduction_length("grad_bias") > budget:
            return None
        elements = sum(prod(problem.shape_of(name)) for name in ("x", "weight", "y"))
        places = problem.input_size if self.kind is TransposedProblem else problem.output_size
        products = problem.batch * prod(problem.weight_shape) * prod(places)
        if elements > LARGEST[judged] or products > PRODUCTS:
            return None
        return elements, "\t".join((problem.descriptor, bias, element, judged))


def labels(block, choice):
    """Name the values of a choice by (block, factor, value)."""
    *most, last = choice
    if isinstance(last, tuple):
        return [(block, factor, value) for factor, value in enumerate(most)] + [(block, "operation", v) for v in last]
    return [(block, factor, value) for factor, value in enumerate(choice)]


def main():
    """Write the array."""
    head, *lines = OUT.read_text(encoding="ascii").splitlines() if OUT.exists() else [HEAD]
    for operator, (kind, axes) in OPERATORS.items():
        search = Search(operator)
        for line in lines:
            problem = (TransposedProblem if line.startswith("t-") else ConvProblem).from_descriptor(line.split("\t")[0])
            if isinstance(problem, kind) and len(problem.stride) == axes:
                search.learn(line)
        rows = list(search.rows())
        print(f"{operator}: {len(rows)} more rows")
        lines += rows
    OUT.write_text("".join(f"{line}\n" for line in (head, *dict.fromkeys(lines))), encoding="ascii")


if __name__ == "__main__":
    main()
