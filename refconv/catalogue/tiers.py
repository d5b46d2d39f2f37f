"""The tiers: which families are computed in which number format with which fill.

A group is one family in one format with one fill; it becomes two files.  ``smoke`` is a selection of
``core``: the same ids, the same bytes; ``axes``, ``regress`` and ``extended`` have ids of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from importlib.resources import files

from refconv.catalogue import (
    corners,
    families,
    guide,
    invalid,
    narrow,
    networks,
    quantized,
    searched,
    sequences,
    special,
    tails,
    tiles,
)
from refconv.catalogue.arrays import ARRAYS, array_rows
from refconv.catalogue.axes import FAMILIES as AXES
from refconv.catalogue.axes import MAIN, axes
from refconv.catalogue.extended import extended
from refconv.catalogue.regress import regress
from refconv.catalogue.spec import CaseSpec, Row
from refconv.errors import CatalogueError

VERSION = "2026.11.25"  # of the vectors, by date; a new vector may fail a passing user

FAMILIES: dict[str, Callable[[], list[Row]]] = {
    "worked-example": guide.worked_example,
    "arithmetic-guide": guide.arithmetic_guide,
    "basic": families.basic,
    "asymmetric": families.asymmetric,
    "grouped": families.grouped,
    "depthwise": families.depthwise,
    "dilated": families.dilated,
    "leftover": families.leftover,
    "pointwise": families.pointwise,
    "full-reduction": families.full_reduction,
    "batch": families.batch,
    "padding-over-kernel": families.padding_over_kernel,
    "thin": families.thin,
    "neighbours": sequences.neighbours,
    "constant": sequences.constant,
    "tile-edges": families.tile_edges,
    "resnet50": networks.resnet50,
    "mobilenet-v2": networks.mobilenet_v2,
    "efficientnet-b0": networks.efficientnet_b0,
}

SPECIAL: dict[str, Callable[[], list[Row]]] = {
    "non-finite": special.non_finite,
    "special-places": special.special_places,
    "subnormal": special.subnormal,
    "largest": special.largest,
    "special-sums": special.special_sums,
    "overflow": special.overflow,
    "choice-padding": special.padding_choice,
    "choice-no-channels": special.no_channels_choice,
    "choice-oversized-kernel": special.oversized_choice,
    "choice-subnormal": special.subnormal_choice,
}

INVALID: dict[str, Callable[[], list[Row]]] = {
    "illegal": invalid.illegal,
    "mismatched": invalid.mismatched,
}

NARROW: dict[str, Callable[[], list[Row]]] = {
    "few-terms": narrow.few_terms,
    "float8-overflow": narrow.float8_overflow,
    "float8-saturation": narrow.float8_saturation,
    "float8-nan": narrow.float8_nan,
    "float8-non-finite": narrow.float8_non_finite,
    "deep-ends": narrow.deep_ends,
    "ends": narrow.ends,
    "ends-unsigned": narrow.ends_unsigned,
    "quantized": quantized.signed,
    "quantized-unsigned": quantized.unsigned,
}

SEAMS: dict[str, Callable[[], list[Row]]] = {
    "channel-tails": tails.channel_tails,
    "channel-tails-3x3": tails.channel_tails_3x3,
    "width-tails": tails.width_tails,
    "deep-reductions": tails.deep_reductions,
    "batches": tails.batches,
    "wide-planes": tails.wide_planes,
    "winograd-tiles": tiles.winograd_tiles,
    "patches": tiles.patches,
    "large-kernels": tiles.large_kernels,
    "kernel-is-input": tiles.kernel_is_input,
    "depthwise-wide": tiles.depthwise_wide,
    "many-groups": tiles.many_groups,
    "pointwise-wide": tiles.pointwise_wide,
    "first-layers": tiles.first_layers,
    "dilated-wide": tiles.dilated_wide,
    "corners": corners.corners,
    "long-planes": corners.long_planes,
}

SEARCHED: dict[str, Callable[[], list[Row]]] = {
    "compact": searched.compact,
    "boundaries": searched.boundaries,
}

_NETWORKS = ("resnet50", "mobilenet-v2", "efficientnet-b0")
_GEOMETRY = ("asymmetric", "grouped", "depthwise", "dilated", "leftover", "pointwise", "full-reduction")
_ALL = tuple(name for name in FAMILIES if name not in ("worked-example", "arithmetic-guide", "constant"))

_NARROW = tuple(name for name in _GEOMETRY if name != "full-reduction")  # whose sums outgrow 8 bits

# All but planes that are too large for four bytes a pixel.
_SEAMS = tuple(name for name in SEAMS if name not in ("wide-planes", "long-planes"))
_FLOATS = ("batches", "dilated-wide", "winograd-tiles")
_VECTORS = ("channel-tails", "channel-tails-3x3", "width-tails", "deep-reductions", "depthwise-wide", "many-groups")

# Format, fill, families, and the operations if not all.  Gradients of 16-bit formats are commonly added up in
# steps of the format itself (PyTorch on many CPUs), so their exact cases use sums that even those steps hold.
CORE: tuple[tuple[str, str, tuple[str, ...]] | tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("float32", "iota", ("worked-example",)),
    ("float32", "exact", ("arithmetic-guide", *_ALL)),
    ("float32", "zero-mean", (*_GEOMETRY, *_NETWORKS)),
    ("float32", "positive", ("full-reduction", "resnet50")),
    ("float32", "full-mantissa", ("asymmetric", "grouped", "depthwise")),
    ("float32", "wide-exponents", ("asymmetric",)),
    ("float32", "cancelling", ("asymmetric", "pointwise")),
    ("float32", "ones", ("constant",)),
    ("float64", "exact", ("neighbours", *_GEOMETRY)),
    ("float64", "zero-mean", _GEOMETRY),
    ("float64", "full-mantissa", ("asymmetric", "grouped")),
    ("float16", "exact", _GEOMETRY, ("forward",)),
    ("float16", "narrow", _NARROW),
    ("float16", "zero-mean", (*_GEOMETRY, "mobilenet-v2")),
    ("bfloat16", "exact", _GEOMETRY, ("forward",)),
    ("bfloat16", "narrow", _NARROW),
    ("bfloat16", "zero-mean", (*_GEOMETRY, "mobilenet-v2")),
    ("int8", "exact", (*_GEOMETRY, "batch", "padding-over-kernel", *_NETWORKS), ("forward",)),
    ("float32", "exact", ("non-finite", "special-places", "special-sums", "subnormal", "overflow")),
    ("float64", "exact", ("non-finite", "subnormal")),
    ("float16", "narrow", ("non-finite", "special-sums", "subnormal", "overflow")),
    ("float16", "exact", ("basic",), ("forward",)),
    ("bfloat16", "exact", ("basic",), ("forward",)),
    ("bfloat16", "narrow", ("non-finite", "choice-subnormal", "choice-padding")),
    ("float32", "exact", ("choice-padding", "choice-no-channels", "choice-oversized-kernel")),
    ("float32", "iota", ("illegal", "mismatched")),
    ("float32", "zero-mean", ("largest",)),
    ("float64", "zero-mean", ("largest",)),
    ("float16", "zero-mean", ("largest",)),
    ("bfloat16", "zero-mean", ("largest",)),
    ("float8_e4m3fn", "exact", ("grouped",), ("forward",)),
    ("float8_e4m3fn", "exact", ("float8-saturation", "float8-nan")),
    ("float8_e4m3fn", "narrow", ("few-terms",)),
    ("float8_e4m3fn", "zero-mean", ("depthwise",), ("forward",)),
    ("float8_e4m3fn-to-float32", "exact", ("padding-over-kernel",), ("forward",)),
    ("float8_e5m2", "exact", ("grouped",), ("forward",)),
    ("float8_e5m2", "exact", ("float8-overflow", "float8-non-finite")),
    ("float8_e5m2", "narrow", ("few-terms",)),
    ("float8_e5m2", "zero-mean", ("padding-over-kernel",), ("forward",)),
    ("bfloat16-to-float32", "exact", ("grouped",), ("forward",)),
    ("bfloat16-to-float32", "zero-mean", ("padding-over-kernel",), ("forward",)),
    ("float16-to-float32", "exact", ("padding-over-kernel",), ("forward",)),
    ("uint8-by-int8", "exact", ("grouped", "padding-over-kernel"), ("forward",)),
    ("uint8-by-int8", "extremes", ("ends-unsigned",)),
    ("int8", "extremes", ("ends", "deep-ends")),
    ("int8", "bytes", ("quantized",)),
    ("uint8-by-int8", "bytes", ("quantized-unsigned",)),
    ("float32", "exact", _SEAMS),
    ("float64", "exact", ("patches", "pointwise-wide")),
    ("float16", "exact", (*_VECTORS, "winograd-tiles"), ("forward",)),
    ("bfloat16", "exact", _VECTORS, ("forward",)),
    ("float16", "narrow", ("depthwise-wide", "patches")),
    ("bfloat16", "narrow", ("patches",)),
    ("int8", "exact", tuple(name for name in SEAMS if name not in _FLOATS), ("forward",)),
    ("float32", "exact", ("compact", "boundaries")),
    ("int8", "exact", ("boundaries",), ("forward",)),
)

# What a first look needs of smoke; the rest of it is chosen by scripts/select_core.py, which writes smoke.txt.
ANCHORS = (
    "worked-example-float32-iota/x3x3-w2x2",
    "arithmetic-guide-float32-exact/padding-strides-odd*",
    "arithmetic-guide-float32-exact/dilation",
    "asymmetric-float32-exact/s21-d12-p1021",
    "grouped-float32-exact/g2-s21-p1021-d12",
    "depthwise-float32-exact/c3-multiplier-4",
    "leftover-float32-exact/columns",
    "pointwise-float32-exact/stride",
    "pointwise-float32-exact/padding",
    "batch-float32-exact/n0",
    "full-reduction-float32-zero-mean/dilated",
    "leftover-float64-exact/rows",
    "pairs-float16-zero-mean/n1c1i9x2-*",
    "asymmetric-bfloat16-narrow/s12-d21-p0312",
    "asymmetric-int8-exact/s21-d12-p1021",
)

SMOKE = tuple(files(__package__).joinpath("smoke.txt").read_text(encoding="ascii").split())


def cases(tier: str = "core", select: Iterable[str] = ("*",)) -> list[CaseSpec]:
    """List the cases of a tier whose id matches one of the patterns, in the order of the catalogue.

    Parameters
    ----------
    tier : {"smoke", "core", "axes", "regress", "extended"}
    select : iterable of str
        Shell patterns over ids (``*`` also matches ``/``).

    Raises
    ------
    CatalogueError
        If there is no such tier, or nothing matches.

    Examples
    --------
    >>> [spec.id for spec in cases("core", ["worked-example-*"])]
    ['worked-example-float32-iota/x3x3-w2x2']
    """
    if tier not in TIERS:
        raise CatalogueError(f"tier must be one of {', '.join(TIERS)}, got {tier!r}.")
    patterns = tuple(select)
    found = [
        spec
        for spec in OTHERS.get(tier, _core)()
        if any(fnmatchcase(spec.id, pattern) for pattern in TIERS[tier])
        and any(fnmatchcase(spec.id, pattern) for pattern in patterns)
    ]
    if not found:
        raise CatalogueError(f"no case of tier {tier!r} matches {', '.join(patterns)}.")
    return found


OTHERS: dict[str, Callable[[], list[CaseSpec]]] = {"axes": axes, "regress": regress, "extended": extended}  # own ids


TIERS: dict[str, tuple[str, ...]] = {"smoke": SMOKE, "core": ("*",)} | dict.fromkeys(OTHERS, ("*",))


EVERY_FAMILY = FAMILIES | SPECIAL | INVALID | NARROW | SEAMS | SEARCHED


def described_families() -> dict[str, str]:
    """Return one sentence for each family of core and axes.

    Examples
    --------
    >>> described_families()["depthwise"]
    'One input channel per group.'
    """
    said = {name: (make.__doc__ or "").strip().splitlines()[0] for name, make in (EVERY_FAMILY | AXES).items()}
    pairs = "The covering array: every legal pair of factor values."
    return said | dict.fromkeys(("pairs", *(f"{name}-pairs" for name in MAIN)), pairs)


def _core() -> list[CaseSpec]:
    specs, known = [], EVERY_FAMILY
    for element, fill, names, *only in CORE:
        for family in names:
            rows = [replace(row, operations=only[0]) if only else row for row in known[family]()]
            specs += [CaseSpec(f"{family}-{element}-{fill}", row, element, fill) for row in rows]
    for element, fill in ARRAYS:
        rows = array_rows("pairs", element, fill, everything=fill == "exact" and element != "float64")
        specs += [CaseSpec(f"pairs-{element}-{fill}", row, element, fill) for row in rows]
    return specs
