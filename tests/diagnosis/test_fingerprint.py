import json

import numpy as np
import pytest
from arithmetic import Simulated, chain, halves, joined

from refconv.diagnosis import fingerprint
from refconv.diagnosis.fingerprint.bench import Bench, bench
from refconv.diagnosis.fingerprint.fingerprint import Arithmetic
from refconv.diagnosis.fingerprint.order import NoTreeError, Order, leaves_of, meetings
from refconv.diagnosis.fingerprint.rounding import accumulator_rounding, classify
from refconv.diagnosis.fingerprint.suggest import suggest
from refconv.diagnosis.fingerprint.tree_words import describe
from refconv.errors import CatalogueError
from refconv.formats import get_format
from refconv.implementations import as_runner, load_implementation
from refconv.reference import direct, im2col, sparse

ALL_FLUSHED = ("x", "weight", "product", "sum")

# operand bits, accumulator bits, FMA, what is flushed, suggested class
TRUTH = {
    "float32": (24, 24, False, (), "standard:float32"),
    "float32 with FMA": (24, 24, True, (), "standard:float32"),
    "float64": (24, 53, None, (), "standard:float64"),
    "float16": (11, 11, False, ALL_FLUSHED, None),
    "bfloat16": (8, 24, None, (), "reduced:bf16"),
    "tf32": (11, 24, None, (), "reduced:tf32"),
    "flush-to-zero": (24, 24, False, ALL_FLUSHED, "ftz:float32"),
}


def only(implementation, shape="3x3", dtype="float32"):
    found = fingerprint(implementation, [dtype], [shape])
    assert found.refused == {}
    return found.found[0], found.suggested[dtype]


def shuffled(seed):
    return lambda n: chain(np.random.default_rng(seed).permutation(n))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("arithmetic", TRUTH)
def test_arithmetic_is_told_apart_in_any_order_of_summation(arithmetic, seed):
    item, suggested = only(Simulated(arithmetic, shuffled(seed)), "depthwise" if seed % 2 else "3x3")
    fma = item.fma if arithmetic in ("float32", "float32 with FMA", "flush-to-zero", "float16") else None
    assert item.x_bits == item.weight_bits
    assert (item.x_bits, item.accumulator_bits, fma, item.flushed, suggested) == TRUTH[arithmetic]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (lambda n: chain(range(n)), "sequential"),
        (lambda n: chain(range(n)[::-1]), "backward"),
        (lambda n: halves(range(n)), "pairwise"),
        (lambda n: joined([chain(range(lane, n, 4)) for lane in range(4)]), "4 strided lanes, then sequential"),
        (lambda n: joined([chain(range(at, at + 9)) for at in range(0, n, 9)]), "blocks of 9, then sequential"),
        (lambda n: halves_of([chain(range(at, at + 9)) for at in range(0, n, 9)]), "blocks of 9, then pairwise"),
        (lambda n: in_fours(n), "up to 5 terms at once"),
        (lambda n: chain([c * 9 + tap for tap in range(9) for c in range(n // 9)]),
         "sequential, along kh, kw, c (the last one fastest)"),
    ],
)  # fmt: skip
def test_the_order_of_summation_is_named(order, words):
    item, _ = only(Simulated("float32", order))
    assert item.order == words


def in_fours(n):
    tree = 0
    for at in range(0, n, 4):
        tree = (tree, *range(at, at + 4)) if at else (0, 1, 2, 3)
    return tree


def halves_of(trees):
    middle = (len(trees) + 1) // 2
    return (halves_of(trees[:middle]), halves_of(trees[middle:])) if len(trees) > 1 else trees[0]


@pytest.mark.parametrize("seed", range(5))
def test_any_tree_is_recovered(seed):
    rng = np.random.default_rng(seed)

    def order(n):
        trees = [int(place) for place in rng.permutation(n)]
        while len(trees) > 1:
            take = sorted(rng.choice(len(trees), 2, replace=False))
            right, left = trees.pop(take[1]), trees.pop(take[0])
            trees.append((left, right))
        return trees[0]

    truth = order(36)
    tree = Order(bench(as_runner(Simulated("float32", lambda n: truth)), "3x3", "float32"), 24).tree()
    assert meetings(tree) == meetings(truth)
    assert len(meetings(tree)) == 36 * 35 // 2


def test_measurements_that_fit_no_tree_are_not_called_one():
    class Noisy(Simulated):
        def forward(self, x, weight, bias, problem):
            return super().forward(x, weight, bias, problem) * np.float32(1 + 2.0**-20)

    assert Order(bench(as_runner(Noisy()), "3x3", "float32"), 24).tree() is None


def test_a_truncating_accumulator_is_seen_and_gets_no_class():
    item, suggested = only(Simulated("truncating"))
    assert (item.accumulator_rounding, suggested) == ("toward zero", None)


def test_partial_sums_in_a_narrower_format_are_counted():
    def order(n):
        return joined([chain(range(at, at + 9)) for at in range(0, n, 9)])

    item, suggested = only(Simulated("float32", order, stored=lambda node: len(leaves_of(node)) % 9 == 0))
    assert (item.part_bits, item.accumulator_bits, item.parts, suggested) == (24, 8, 4, "split:4:bfloat16")


@pytest.mark.parametrize(("value", "rounding"), [(np.rint, "nearest even"), (np.trunc, "toward zero")])
def test_the_rounding_of_the_output_is_seen(value, rounding):
    class Rounded:
        def forward(self, x, weight, bias, problem):
            y = im2col.forward(x.astype(np.float64), weight.astype(np.float64), bias, problem)
            mantissa, exponent = np.frexp(y)
            return np.ldexp(value(np.ldexp(mantissa, 11)), exponent - 11).astype(np.float16)

    item, _ = only(Rounded(), dtype="float16")
    assert item.output_rounding == rounding


@pytest.mark.parametrize("reference", [direct, sparse, im2col], ids=lambda reference: reference.name)
def test_the_references_use_the_format_that_they_are_given(reference):
    found = fingerprint(reference, ["float32", "float64"], ["depthwise"])
    assert found.refused == {}
    assert found.suggested == {"float32": "standard:float32", "float64": "standard:float64"}
    assert {item.accumulator_bits for item in found.found} == {24, 53}


def test_the_seven_loops_add_one_by_one():
    item, _ = only(direct)
    assert (item.order, item.fma, item.accumulator_rounding) == ("sequential", False, "nearest even")


@pytest.mark.oracle
def test_torch_has_a_fingerprint_in_all_its_formats():
    found = fingerprint(load_implementation("torch"), shapes=["1x1"])
    assert found.refused == {}
    assert found.suggested["float32"] in ("standard:float32", "ftz:float32")
    assert found.suggested["float64"] == "standard:float64"


def test_json_holds_everything():
    found = fingerprint(im2col, ["float64"], ["depthwise"])
    read = json.loads(found.as_json())
    assert read["suggested"] == {"float64": "standard:float64"}
    assert read["found"][0]["shape"] == "depthwise"


def test_what_cannot_be_measured_says_why():
    class Doubles:
        def forward(self, x, weight, bias, problem):
            raise NotImplementedError("no")

    found = fingerprint(Doubles(), ["float32"], ["1x1"])
    assert found.found == ()
    assert found.refused == {"float32, 1x1": "NotImplementedError: no"}


def test_a_result_of_another_format_or_shape_is_said_to_be():
    class Doubles:
        def forward(self, x, weight, bias, problem):
            return np.zeros(problem.y_shape)

    class Short:
        def forward(self, x, weight, bias, problem):
            return np.zeros(problem.y_shape[1:], x.dtype)

    expected = "y must be float32 of shape (8, 4, 3, 4)"
    for layer, got in ((Doubles(), "float64 of shape (8, 4, 3, 4)"), (Short(), "float32 of shape (4, 3, 4)")):
        refused = fingerprint(layer, ["float32"], ["1x1"]).refused
        assert refused == {"float32, 1x1": f"ImplementationError: {expected}, got {got}"}


def test_a_layer_that_is_too_slow_is_left_out(monkeypatch):
    monkeypatch.setattr(Bench, "seconds", lambda self: 0.26)
    refused = fingerprint(im2col, ["float32"], ["1x1"]).refused
    assert refused == {"float32, 1x1": "TimeoutError: one of some hundred calls takes 0.26 s, more than 0.25"}


def test_of_many_products_the_first_are_looked_at():
    item, _ = only(Simulated("float32"), "many channels")
    assert (item.order, item.tree.count("(")) == ("sequential (the first 36 of 864 products)", 35)


def test_sums_at_once_have_no_order():
    assert describe((0, 1, 2), (3, 1, 1)) == "all at once"


def test_numbers_that_are_too_small_for_the_format_show_no_order():
    place = bench(as_runner(im2col), "3x3", "float16")
    assert Order(place, 24).visible
    assert Order(place, 53).tree() is None


class Counts:
    """A bench that answers with what a table says of each pair."""

    terms = 3

    def __init__(self, counts):
        self.counts, self.element = counts, get_format("float32")

    def sums(self, rows):
        ones = [np.abs(row).min() for row in rows]
        pairs = [tuple(np.flatnonzero(np.abs(row) > one).tolist()) for row, one in zip(rows, ones, strict=True)]
        return np.array([(3 - self.counts[pair]) * one for pair, one in zip(pairs, ones, strict=True)])


@pytest.mark.parametrize(
    ("counts", "tree"),
    [
        ({(0, 1): 2, (0, 2): 3, (1, 2): 3}, ((0, 1), 2)),
        ({(0, 1): 3, (0, 2): 3, (1, 2): 2}, (0, (1, 2))),
        ({(0, 1): 2, (0, 2): 3, (1, 2): 2}, None),  # 1 and 2 meet below the node where 0 meets both
    ],
)
def test_counts_that_contradict_each_other_are_no_tree(counts, tree):
    assert Order(Counts(counts), 24).tree() == tree


def test_a_node_with_more_leaves_than_were_counted_is_no_tree():
    """Of many pairs few are held against the tree, so that this is seen while it is built."""
    with pytest.raises(NoTreeError):
        Order(Counts({(0, 1): 2, (0, 2): 2, (1, 2): 3}), 24)._build([0, 1, 2])


@pytest.mark.parametrize(
    ("way", "name"),
    [
        (np.rint, "nearest even"), (np.trunc, "toward zero"), (np.floor, "downward"), (np.ceil, "upward"),
        (lambda share: np.copysign(np.floor(abs(share) + 0.5), share), "nearest away"),
        (lambda share: np.floor(share + 0.5), "nearest away"),  # as ties of positive numbers are
        (lambda share: np.copysign(np.ceil(abs(share) - 0.5), share), "nearest, ties toward zero"),
        (lambda share: share if abs(share) == 0.5 else np.rint(share), "nearest"),
        (lambda share: share * 2, "unknown"),
    ],
)  # fmt: skip
def test_ways_to_round_have_names(way, name):
    assert classify(lambda share: {float(way(share))}) == name


def test_a_rounding_below_the_numbers_of_the_format_is_not_visible():
    place = bench(as_runner(im2col), "3x3", "float16")
    assert accumulator_rounding(place, (0, 1, 2), 53) is None


def arithmetic(dtype="float32", x_bits=24, accumulator_bits=24):
    return Arithmetic(
        dtype, "3x3", "", x_bits, x_bits, accumulator_bits, accumulator_bits, 1, None, (), None, None, "", ""
    )


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        (arithmetic(x_bits=11, accumulator_bits=11),
         "operands of 11 bits and an accumulator of 11: no class allows both"),
        (arithmetic(x_bits=7), "operands of 7 bits are narrower than those of any class"),
        (arithmetic(dtype="bfloat16", x_bits=8, accumulator_bits=7),
         "an accumulator of 7 bits is narrower than that of any class"),
    ],
)  # fmt: skip
def test_arithmetic_that_no_class_allows_gets_a_reason(measured, reason):
    assert suggest([measured]) == (None, reason)


def test_unknown_formats_and_shapes_are_refused():
    with pytest.raises(CatalogueError, match="a shape must be one of"):
        fingerprint(im2col, shapes=["5x5"])
    with pytest.raises(CatalogueError, match="a fingerprint needs a format among"):
        fingerprint(im2col, dtypes=["int8"])


def test_lanes_need_not_be_equally_long():
    tree = joined([chain(range(lane, 9, 4)) for lane in range(4)])
    assert describe(tree, (1, 3, 3)) == "4 strided lanes, then sequential"
