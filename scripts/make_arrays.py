"""Make the covering arrays of the catalogue: ``python scripts/make_arrays.py`` (needs ``covertable``).

Writes ``refconv/catalogue/arrays/pairs.tsv`` and ``triples.tsv``, whose rows are frozen: a published row never
changes, so run this only when a factor is added, and then append.  ``refconv.catalogue.coverage`` counts what the
rows cover; it shares nothing with this script.
"""

import itertools
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from covertable import make

ARRAYS = Path(__file__).parents[1] / "refconv" / "catalogue" / "arrays"
AXIS = ("length", "kernel", "stride", "dilation", "begin", "end", "leftover", "outputs")
LEVELS = {
    "length": ("even", "odd", "fit", "under", "one"),
    "kernel": ("3", "2", "1", "4+"),
    "stride": ("1", "2", "3+"),
    "dilation": ("1", "2", "3"),
    "begin": ("0", "1", "2+"),
    "end": ("0", "1", "2+"),
    "leftover": ("no", "yes"),
    "outputs": ("2-4", "1", "5+"),
}
FACTORS = {
    **{f"{side}.{name}": LEVELS[name] for name in AXIS for side in "hw"},
    "in_per_group": ("2", "1", "3", "4", "5+"),
    "out_per_group": ("2", "1", "3", "4", "5+"),
    "groups": ("1", "2", "3+"),
    "batch": ("1", "2", "3+"),
    "bias": ("yes", "no"),
    "element": ("float32", "int8", "float16", "bfloat16", "float64"),
    "fill": ("exact", "zero-mean"),
}


def axes():
    """Sort all small axes by their levels: (length, kernel, stride, dilation, begin, end), cheapest first."""
    found = defaultdict(list)
    ranges = (range(1, 25), range(1, 6), (1, 2, 3, 5, 7), (1, 2, 3), range(25), range(25))
    for length, kernel, stride, dilation, begin, end in itertools.product(*ranges):
        reach = dilation * (kernel - 1) + 1
        steps, rest = divmod(length + begin + end - reach, stride)
        if 0 <= steps < 9 and meets(length, kernel, stride, dilation, begin, steps):
            levels = (
                "one" if length == 1 else "under" if length < reach else "fit" if length == reach
                else ("even", "odd")[length % 2],
                "4+" if kernel > 3 else str(kernel), "3+" if stride > 2 else str(stride), str(dilation),
                "2+" if begin > 1 else str(begin), "2+" if end > 1 else str(end), "yes" if rest else "no",
                "1" if steps == 0 else "2-4" if steps < 4 else "5+",
            )  # fmt: skip
            found[levels].append((length, kernel, stride, dilation, begin, end))
    return {
        levels: sorted(made, key=lambda axis: (axis[0] + axis[4] + axis[5], axis)) for levels, made in found.items()
    }


def meets(length, kernel, stride, dilation, begin, steps):
    """Tell whether any tap meets the image: all-zero results would see nothing."""
    positions = ((o * stride - begin + tap * dilation) for o in range(steps + 1) for tap in range(kernel))
    return any(0 <= position < length for position in positions)


AXES = axes()
LARGEST = {2: 64 * 1024, 3: 512 * 1024}  # bytes of a case, by the strength of its array
_LEAST = {}


def least(fixed):
    """Return the shortest axis that has the given levels, where None is any: (length, kernel, outputs), each alone."""
    if fixed not in _LEAST:
        found = [
            (axis[0], axis[1], {"1": 1, "2-4": 2, "5+": 5}[levels[-1]])
            for levels, (axis, *_) in AXES.items()
            if all(level in (None, own) for level, own in zip(fixed, levels, strict=True))
        ]
        _LEAST[fixed] = tuple(map(min, zip(*found, strict=True))) if found else None
    return _LEAST[fixed]


def possible(strength, row):
    """Tell whether a row, which may have holes, can be completed to a case that is not too large."""
    if row.get("element") == "int8" and row.get("fill") == "zero-mean":
        return False
    pair = [least(tuple(row.get(f"{side}.{name}") for name in AXIS)) for side in "hw"]
    if None in pair:
        return False
    length, kernel, outputs = (high * wide for high, wide in zip(*pair, strict=True))
    batch, groups, inner, outer = (
        int(row.get(name, "1")[0]) for name in ("batch", "groups", "in_per_group", "out_per_group")
    )
    size = (batch * groups * inner * length, groups * outer * inner * kernel, batch * groups * outer * outputs)
    width = 8 if row.get("element") == "float64" else 4
    if width * sum(size) * (2 + 4 * (row.get("fill") == "zero-mean")) > LARGEST[strength] // 2:
        return False
    return True if len(row) == len(FACTORS) else None


def best_first(control):
    """Begin a row with the first tuple that is missing, then take the level that adds most, one at a time."""
    missing, size = control.incomplete, control.strength - 1
    for start in list(missing.values()):
        if not control.row:
            yield start
        if control.row:
            break
    while control.row and not control.is_filled():
        chosen = list(itertools.combinations(sorted(control.row.values()), size))
        free = [serial for key, serials in control.serials.items() if key not in control.row for serial in serials]
        gain = {one: sum(tuple(sorted((*some, one))) in missing for some in chosen) for one in free}
        before = len(control.row)
        for one in sorted(free, key=lambda serial: (-gain[serial], serial)):
            if control.storable(control.get_candidate((one,))):
                yield (one,)
                break
        if len(control.row) == before:
            return


def concrete(row, number):
    """Choose the numbers of a row; the larger channel counts take turns."""
    many = (5, 7, 8, 9)
    inner = many[number % 4] if row["in_per_group"] == "5+" else int(row["in_per_group"])
    outer = many[(number // 2) % 4] if row["out_per_group"] == "5+" else int(row["out_per_group"])
    groups = 3 + number % 2 if row["groups"] == "3+" else int(row["groups"])
    batch = 3 if row["batch"] == "3+" else int(row["batch"])
    pair = [AXES[tuple(row[f"{side}.{name}"] for name in AXIS)] for side in "hw"]
    (H, kH, sH, dH, top, bottom), (W, kW, sW, dW, left, right) = (
        some[min((number + turn) % 3, len(some) - 1)] for turn, some in enumerate(pair)
    )
    oH, oW = (H + top + bottom - dH * (kH - 1) - 1) // sH + 1, (W + left + right - dW * (kW - 1) - 1) // sW + 1
    return (
        f"n{batch}c{inner * groups}i{H}x{W}-k{outer * groups}w{kH}x{kW}-s{sH}x{sW}-d{dH}x{dW}"
        f"-p{top}+{bottom}x{left}+{right}-g{groups}-o{oH}x{oW}"
    )


def main():
    """Write the array of each strength that is named, by default both."""
    for name in sys.argv[1:] or ("pairs", "triples"):
        strength = {"pairs": 2, "triples": 3}[name]
        constraint = {"operator": "fn", "requires": [], "evaluate": partial(possible, strength)}
        rows = make(FACTORS, strength=strength, criterion=SimpleNamespace(extract=best_first), constraints=[constraint])
        lines = [
            "\t".join((concrete(row, number), row["bias"], row["element"], row["fill"]))
            for number, row in enumerate(rows)
        ]
        text = "problem\tbias\telement\tfill\n" + "".join(f"{line}\n" for line in dict.fromkeys(lines))
        (ARRAYS / f"{name}.tsv").write_text(text, encoding="ascii")
        print(f"{name}: {len(rows)} rows")


if __name__ == "__main__":
    main()
