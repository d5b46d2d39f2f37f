"""Put a description of a wrong operator into sentences."""

from __future__ import annotations

import itertools
import math

from refconv.diagnosis.difference import Difference, Part
from refconv.diagnosis.formulas import Formula, expression
from refconv.diagnosis.patterns import Selection
from refconv.diagnosis.products import axis_names
from refconv.diagnosis.tiling import tile_of
from refconv.diagnosis.windows import said
from refconv.problem import ConvProblem

VERBS = {
    ("forward", "x"): "x is read at", ("forward", "weight"): "the weight is taken from",
    ("forward", "y"): "the result is written to", ("grad_input", "x"): "products are added to grad_input at",
    ("grad_input", "weight"): "the weight is taken from", ("grad_input", "y"): "grad_output is read at",
    ("grad_weight", "x"): "x is read at", ("grad_weight", "weight"): "products are added to grad_weight at",
    ("grad_weight", "y"): "grad_output is read at", ("forward", "bias"): "the bias is taken from",
    ("grad_bias", "bias"): "grad_output is added to",
}  # fmt: skip
BENT = {
    "clamped": "is clamped to the image's edge", "wrapped": "wraps round to the other side of the image",
    "negative wrapped": "wraps round where it is negative", "mirrored": "is mirrored at the image's edge",
    "mirrored with its edge": "is mirrored at the image's edge, which is repeated",
}  # fmt: skip
OUTPUTS, TAPS = ("n", "k", "g", "m", "k%G", "o", "od", "oh", "ow"), ("c", "kd", "kh", "kw")
LOOPS = ("n", "k", "od", "oh", "ow", *TAPS, "kb")
SIDES = {"iw": ("column", "left", "right"), "ih": ("row", "up", "down"), "id": ("plane", "forward", "backward")}


def sentences(difference: Difference, problem: ConvProblem) -> list[str]:
    """Write what is wrong, one sentence for each part of a description.

    Letters: n, k, c, oh, ow, kh, kw are the variables of the seven loops (c counts within the group), g is the
    group, ic the input channel, ih and iw the place on the image, m the number of k within its group, o that of the
    position on the output plane, row after row, and kb the channel of the bias, where it is another than k.
    """
    if not difference.exact:
        return [_listing(difference)]
    found = []
    for part in difference.parts:
        clauses = _clauses(difference, part, problem)
        if not clauses:
            continue
        where = f"{part.where.clause}, " if part.where.patterns and not part.one else ""
        text = where + "; ".join(clauses)
        text = f"in addition, {text}" if part.extra else text
        found.append(text[0].upper() + text[1:] + ".")
    return found


def _listing(difference: Difference) -> str:
    some = "; ".join(
        ", ".join(f"{name}={value}" for name, value in example.items() if name in LOOPS)
        for example in difference.examples
    )
    what = "pairs of output and bias" if difference.tensor == "bias" else "products"
    among = f", among them those at {some}" if some else ""
    text = f"No pattern was found: {difference.wrong} of {difference.slots} {what} are not the right ones{among}."
    tile = tile_of(difference.view) if difference.view is not None else None
    return f"{text} They are the same in every tile of {tile[0]} x {tile[1]} outputs." if tile else text


def _clauses(difference: Difference, part: Part, problem: ConvProblem) -> list[str]:
    verb = VERBS[difference.operation, difference.tensor]
    clauses = []
    if difference.view is not None and "own" in difference.view.letters:
        return [_pairs(part, difference)]
    whole = [factor for factor, selection in part.factors if not selection.patterns]
    if part.one:
        clauses.append(f"{plain_of(whole[0]) if whole else 'a one'} is read instead of zero {part.where.clause}")
    elif _zero(part, difference):
        return [f"{_everything(difference)} zero"]
    plain = [formula for formula in part.formulas if formula.kind != "window"]
    clauses += [text for formula in plain if (text := _formula(formula, difference, part, problem, verb))]
    if len(plain) < len(part.formulas):
        rows, columns = part.formulas[-2:]
        clauses.append(said(rows.tiles, rows.terms, columns.terms, problem.output_size, problem.stride))
    if part.dropped and not _harmless(part, difference):
        clauses.append(_dropped(part.dropped, difference))
    for factor, selection in () if part.one and whole else part.factors:
        clauses.append(f"{_products(difference, selection)} multiplied by {name_of(factor, problem)}")
    return clauses


def _pairs(part: Part, difference: Difference) -> str:
    what = "every y adds the bias" if difference.operation == "forward" else "grad_bias adds up grad_output"
    but = f", except {part.dropped.clause}" if part.dropped else ""
    return f"{what} of all channels{but}, where it must be that of the own channel k"


def _harmless(part: Part, difference: Difference) -> bool:
    """Say whether what drops out by a part is nothing but padding, which is absent anyway."""
    if part.dropped is None or difference.view is None or part.formulas[-1].name != "flat":
        return False
    held = part.dropped.holds(difference.view.letters)
    return bool((difference.view.truth[held] < 0).all())


def _zero(part: Part, difference: Difference) -> bool:
    return part.dropped is not None and not part.dropped.patterns and not part.where.patterns


def _everything(difference: Difference) -> str:
    if difference.tensor == "bias":
        return "the bias is not added: it counts as" if difference.operation == "forward" else "every result is"
    return "every product counts as" if difference.operation == "forward" else "every result is"


def _products(difference: Difference, selection: Selection) -> str:
    bias = (difference.operation, difference.tensor) == ("forward", "bias")
    some = f" {selection.clause}" if selection.patterns else ""
    return f"the bias{some} is" if bias else f"{'the' if some else 'all'} terms{some} are"


def _formula(formula: Formula, difference: Difference, part: Part, problem: ConvProblem, verb: str) -> str:
    if formula.kind == "same":
        return ""
    if formula.name == "flat" and formula.kind == "affine":
        return _memory(formula, difference.tensor, problem, len(part.formulas) == 1)
    if formula.kind == "padded" and formula.frame:
        return _plane(formula, formula.frame.shape, problem, verb)
    if formula.kind in BENT:
        return f"{formula.name} outside of the image {BENT[formula.kind]}, where zeros must be read"
    if formula.kind == "aligned":
        (first, _), *others = formula.terms
        size, way = math.prod(extent for _, extent in others), "down" if formula.constant > 0 else "up"
        start = f"a multiple of {abs(formula.constant)}, rounded {way}"
        return f"in the memory of {difference.tensor}, each {first} ({size} elements) is thought to start at {start}"
    if formula.kind == "relaid":
        return f"the memory of {difference.tensor} lies as ({', '.join(dict(formula.terms))}), but is read in C order"
    if formula.kind == "layout":
        return f"the memory of y is taken for ({', '.join(name for name, _ in formula.terms)})"
    if formula.kind == "table":
        moved = [f"{key} becomes {value}" for key, value in formula.terms if int(key) != value]
        return f"{verb} another {formula.name}: {', '.join(moved)}"
    terms, constant = truth_of(formula.name, problem)
    shift = formula.constant - constant
    shown = {name: factor for name, factor in formula.terms if factor}
    if (
        formula.name in SIDES
        and shown == {name: f for name, f in terms.items() if name in shown}
        and _varies(terms, shown, problem)
    ):
        unit, back, ahead = SIDES[formula.name]
        count = f"{abs(shift)} {unit}{'s' if abs(shift) > 1 else ''}"
        side = ("to the " if unit == "column" else "") + (back if shift < 0 else ahead)
        return f"{verb.removesuffix(' at')} {count} too far {side}"
    return f"{verb} {formula.name} = {formula}, where it must be {expression(list(terms.items()), constant)}"


def _varies(terms: dict[str, int], shown: dict[str, int], problem: ConvProblem) -> bool:
    """Say whether the letters that a formula does not name are zero throughout."""
    axes = axis_names(problem)
    extents = {f"o{axis}": extent for axis, extent in zip(axes, problem.output_size, strict=True)}
    extents |= {f"k{axis}": extent for axis, extent in zip(axes, problem.kernel_size, strict=True)}
    return all(name in shown or extents.get(name, 2) == 1 for name in terms)


def truth_of(name: str, problem: ConvProblem) -> tuple[dict[str, int], int]:
    """Return the letters and the constant of which a true index is made."""
    axes = axis_names(problem)
    if name == "ic":
        return ({"g": problem.in_channels // problem.groups} if problem.groups > 1 else {}) | {"c": 1}, 0
    if name[0] == "i" and name[1:] in axes:
        axis = axes.index(name[1:])
        return {f"o{name[1]}": problem.stride[axis], f"k{name[1]}": problem.dilation[axis]}, -problem.padding[axis][0]
    return {name: 1}, 0


def _memory(formula: Formula, tensor: str, problem: ConvProblem, whole: bool) -> str:
    """Name the order of axes that a memory is taken for."""
    axes = axis_names(problem)
    names = {"x": "ni", "weight": "kc", "y": "nk"}[tensor]
    spatial = {"x": "i", "weight": "k", "y": "o"}[tensor]
    letters = [f"{spatial}{axis}" for axis in axes]
    full = [*({"n": "n", "k": "k"}[names[0]],), {"i": "ic", "c": "c", "k": "k"}[names[1]], *letters]
    shape = problem.shape_of(tensor)
    if not whole:
        full, shape = letters, shape[2:]
    extents, factors = dict(zip(full, shape, strict=True)), dict(formula.terms)
    for order in itertools.permutations(full):
        steps = {name: math.prod(extents[other] for other in order[i + 1 :]) for i, name in enumerate(order)}
        if formula.constant == 0 and all(
            extents[name] == 1 or factors.get(name) == step for name, step in steps.items()
        ):
            if list(order) == full:
                return f"places outside of the image are read where they lie in memory, {formula}, in the next row"
            return f"the memory of {tensor} is taken for ({', '.join(order)}), where it is ({', '.join(full)})"
    true = {name: math.prod(extents[other] for other in full[i + 1 :]) for i, name in enumerate(full)}
    return f"the memory of {tensor} is used at {formula}, where it must be {expression(list(true.items()), 0)}"


def _plane(formula: Formula, shape: tuple[int, int], problem: ConvProblem, verb: str) -> str:
    """Say which element of the padded image is taken, and of which pitch of its rows that would be right."""
    (rows, columns), (height, width) = shape, problem.stride
    true = {"oh": height * columns, "kh": problem.dilation[0] * columns, "ow": width, "kw": problem.dilation[1]}
    taken = dict(formula.terms)
    if "n" in taken or "ic" in taken:
        true = {"n": problem.in_channels * rows * columns, "ic": rows * columns} | true
    text = f"{verb} element {formula} of the padded image ({rows} x {columns}), where it must be "
    return text + expression(list(true.items()), 0)


def _dropped(selection: Selection, difference: Difference) -> str:
    result = {"forward": "outputs", "grad_input": "elements of grad_output", "grad_weight": "elements of grad_output",
              "grad_bias": "elements of grad_output"}[difference.operation]  # fmt: skip
    verdict = "are not computed (zero)" if difference.operation == "forward" else "are not used"
    text = selection.clause
    if difference.tensor == "bias":
        return f"{'no bias is added' if difference.operation == 'forward' else f'{result} {verdict}'} {text}"
    if selection.only(OUTPUTS):
        return f"{result} {text} {verdict}"
    if selection.only(TAPS):
        return f"{'every output misses' if difference.operation == 'forward' else 'missing are'} the taps {text}"
    outs = Selection(tuple(p for p in selection.patterns if p.letter in OUTPUTS))
    taps = Selection(tuple(p for p in selection.patterns if p.letter in TAPS))
    if not selection.negated and len(outs.patterns) + len(taps.patterns) == len(selection.patterns):
        return f"{result} {outs.clause} miss the taps {taps.clause}"
    return f"products are left out {text}"


def name_of(factor: float, problem: ConvProblem) -> str:
    """Name a factor by what it is made of.

    Examples
    --------
    >>> problem = ConvProblem(batch=3, in_channels=5, out_channels=2, input_size=(4, 7), kernel_size=(1, 2))
    >>> name_of(1 / 3, problem), name_of(-1, problem), name_of(24, problem)
    ('1/N (1/3)', '-1', 'oH*oW (24)')
    >>> name_of(5, problem)
    'C/G or C (5)'
    """
    outputs, taps = math.prod(problem.output_size), math.prod(problem.kernel_size)
    known = {
        "N": problem.batch, "G": problem.groups, "C/G": problem.in_channels // problem.groups, "kH*kW": taps,
        "oH*oW": outputs, "N*oH*oW": outputs * problem.batch, "K": problem.out_channels, "C": problem.in_channels,
        "C/G*kH*kW": problem.in_channels // problem.groups * taps, "H*W": math.prod(problem.input_size),
    }  # fmt: skip
    plain = plain_of(factor)
    if abs(factor) in (1, 2):
        return plain
    known |= {"K/G": problem.out_channels // problem.groups}
    for number, unit in ((factor, "{}"), (1 / factor if factor else 0, "1/{}")):
        names = [name for name, value in known.items() if value > 1 and math.isclose(number, value, rel_tol=2.0**-16)]
        if names:
            bare = [name if unit == "{}" or name.isalpha() else f"({name})" for name in names]
            return f"{' or '.join(unit.format(name) for name in bare)} ({unit.format(plain_of(number))})"
    return plain


def plain_of(number: float) -> str:
    """Write a number with six digits."""
    return f"{number:.6g}"
