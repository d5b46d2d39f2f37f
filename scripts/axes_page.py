"""The page about other axes and transposed convolutions, from what scripts/select_axes.py has measured."""

from refconv.catalogue import cases
from refconv.catalogue.axes import FAMILIES
from refconv.catalogue.coverage import coverage
from refconv.catalogue.operators import factors_of
from refconv.diagnosis.defects import all_defects, transposed_defects

HEAD = """# One and three axes, transposed convolutions

`vectors/axes` holds {count} cases of `conv1d`, `conv3d`, `conv_transpose1d`, `conv_transpose2d` and `conv_transpose3d`,
each with all gradients; images are what `core` is about. `python scripts/select_axes.py vectors/axes --write` writes
this page, and `tests/catalogue/test_axes_kills.py` holds it to the vectors.

    refconv check torch --vectors vectors/axes
    refconv check mypkg:conv_transpose2d --vectors vectors/axes --select 'conv-transpose2d-*'

Functions that want channels last, or other weights, say so behind an `@`: their tensors are transposed on the way, and
reports name them so. NHWC stands for NWC and NDHWC; weights of transposed convolutions are (C, K/G, ...) always.

    refconv check mypkg:conv3d@NDHWC,HWIO --vectors vectors/axes --select 'conv3d-*'

## Families

{families}
Beside the exact float32 cases there are some of zero-mean float32 and float16, float64, bfloat16 and int8. In a
transposed convolution the number of products varies with the position where the stride does not divide the kernel's
reach (`UnevenOverlap`): each bound counts those of its own element.

## Pairs of parameters

A covering array for each operator: of all its factors, every two values that some layer has together occur in a case.
The factors are length, kernel, stride, dilation, the pads at either end (cropping included), what is left over and the
number of outputs along each axis; by which rule an axis is padded (valid, same, same-upper, same-lower, symmetric,
asymmetric); channels per group, groups and whether they are depthwise; batch, bias, format, exact or bounded; and the
operation. Transposed convolutions have output_padding, and how many products meet in an output, for the leftover.

{coverage}
`python scripts/coverage.py` counts that by formulas that do not come from what chose the rows, prints all values, and
fails if one pair is missing. Empty batches and padding modes are no factors; nothing is promised of triples here.

## Padding by name

The `named-padding` cases hold the numbers that SAME_UPPER, SAME_LOWER and VALID stand for, and a flag that says so.
`refconv check onnx:auto_pad --vectors vectors/axes` hands such cases to ONNX by name instead of in numbers, and leaves
out all others; `onnxruntime:auto_pad` too. In forward passes these cases found:

| engine | by name | in numbers |
|---|---|---|
| onnx 1.21.0, ReferenceEvaluator | 8 of 22 convolutions go wrong, see below | right but for transposed groups |
| onnx 1.23.2, ReferenceEvaluator | right but for transposed groups | right but for transposed groups |
| onnxruntime 1.32.0 | wrong where less than nothing is to be added, see below; SAME with dilation is refused | right |

The evaluator of onnx 1.21.0 reads lengths off the axes of batch and channels, computes VALID as SAME, and adds less
than nothing where the stride exceeds the kernel. ONNX does not say what SAME is there; TensorFlow adds nothing, as the
cases do, and onnxruntime 1.32.0 crops. The first row is shown by `pip install onnx==1.21.0` in an environment of its
own, then `refconv check onnx:auto_pad --vectors vectors/axes --select 'named-padding-*' --ops forward`.

## Grouped ConvTranspose in onnx

`refconv check onnx --vectors vectors/axes --ops forward` refuses or fails every transposed convolution with groups but
depthwise ones without a bias, and names `transposed-groups-sliced-by-outputs`: the weights of a group are sliced by
outputs, its bias is that of the first group, and its results are written into one channel. onnxruntime passes the same
cases. Part of it is mended [after 1.23.2](https://github.com/onnx/onnx/pull/8446).

## Engines

What engines did on these cases is in [a table of its own](league_axes.md). PyTorch 2.13 passes all that it has formats
for. ONNX Runtime refuses output_padding that is not less than the stride, also where the dilation allows it. ONNX's
evaluator refuses that too, fails groups as said above, and breaks down on empty batches.

## Which faulty layers it catches

{summary}
By exact values alone, each model by so many cases. {minimum} of the {count} cases are enough to catch each model twice.
Models of convolutions that need rows and columns have nothing to show along one axis: {never}.

### Transposed convolutions

{transposed}
### Convolutions over one and three axes

What the models are, says [kills.md](kills.md).

{plain}"""


def page(kills, operators, counts, reasons, minimum):
    """Return the page."""
    specs = cases("axes")
    families = [(f"`{name}`", sum(_family(spec) == name for spec in specs), (make.__doc__ or "").strip())
                for name, make in FAMILIES.items()]  # fmt: skip
    families.append(("`...-pairs`", sum("-pairs-" in spec.group for spec in specs), "The covering arrays, see below."))
    rows = [(f"`{operator}`", models, models - never, twice) for operator, (models, never, twice) in counts.items()]
    known = [name for name in operators if "transpose" in name]
    transposed = []
    for slug, model in transposed_defects().items():
        source = f"[thread]({model.source})" if model.source.startswith("http") else model.source
        transposed.append((f"`{slug}`", model.summary(), source, *_numbers(kills, known, slug)))
    others = [name for name in operators if "transpose" not in name]
    plain = [(f"`{slug}`", *_numbers(kills, others, slug)) for slug in all_defects()]
    never = ", ".join(sorted({f"`{name.partition('/')[2]}`" for name, reason in reasons.items() if reason}))
    return HEAD.format(
        count=len(specs), families=table(("family", "cases", "what it holds"), families),
        coverage=table(("operator", "cases", "factors", "legal pairs", "occur"), map(_coverage, operators)),
        summary=table(("operator", "models", "with something to show", "caught twice or more"), rows),
        minimum=len(minimum), never=never,
        transposed=table(("model", "what is wrong", "seen", "1d", "2d", "3d"), transposed),
        plain=table(("model", "1d", "3d"), plain),
    )  # fmt: skip


def _family(spec):
    return spec.group.removesuffix(f"-{spec.element}-{spec.fill}")


def _coverage(operator):
    """Count what the array of an operator covers."""
    specs = cases("axes", [f"{operator.replace('_', '-')}-pairs-*"])
    found = coverage(specs, 2, factors_of(operator))
    return f"`{operator}`", len(specs), found.factors, found.legal, found.covered


def _numbers(kills, operators, slug):
    return [len(kills.all[f"{operator}/{slug}"]) for operator in operators]


def table(head, rows):
    """Write a table in Markdown."""
    rows = list(rows)
    lines = [head, ["---" if index == 0 else "--:" if all(isinstance(row[index], int) for row in rows) else "---"
                    for index in range(len(head))], *rows]  # fmt: skip
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
