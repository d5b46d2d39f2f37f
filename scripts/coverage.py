"""Print what the covering arrays cover: ``python scripts/coverage.py [--pairs-only]``.

Exits with 1 if a legal pair does not occur in core, or for one of its operators in axes, or a legal triple in extended.
"""

import signal
import sys
from collections import Counter

from refconv.catalogue import cases
from refconv.catalogue.coverage import coverage, images
from refconv.catalogue.operators import OPERATORS, factors_of, operator_of


def main():
    """Print the factors with their values, then the counts."""
    print_factors(images())
    asked = [("core", "pairs-*", 2), ("core", "*", 2), ("core", "*", 3), ("extended", "triples-*", 3)]
    promised = {("core", 2), ("extended", 3)}
    complete = True
    for tier, pattern, strength in asked[: 1 if "--pairs-only" in sys.argv else None]:
        specs = cases(tier, [pattern])
        found = coverage(specs, strength)
        distinct = len({(spec.problem, spec.has_bias) for spec in specs})
        must = "all are promised" if (tier, strength) in promised else "nothing is promised"
        print(f"{tier} {pattern}: {len(specs)} cases of {distinct} problems; {found}; {must}")
        complete &= (tier, strength) not in promised or not found.missing
    complete &= operators()
    elements = Counter(spec.element for tier in ("core", "extended") for spec in cases(tier))
    print("cases by format:", ", ".join(f"{name} {count}" for name, count in elements.most_common()))
    return 0 if complete else 1


def print_factors(factors):
    """Print each factor with its values."""
    for block in factors.blocks:
        for name in block.factors:
            values = dict.fromkeys(value for [(_, value)] in block.project((name,)))
            print(f"{name:22} {' '.join(values)}")


def operators():
    """Print what the array of the axes tier covers, operator by operator; tell whether it is all."""
    complete, specs = True, cases("axes", ["*-pairs-*"])
    for operator in OPERATORS:
        own = [spec for spec in specs if operator_of(spec.problem) == operator]
        found = coverage(own, 2, factors_of(operator))
        print(f"axes {operator}: {len(own)} cases; {found}; all are promised")
        complete &= not found.missing
    print("what these have beyond the factors above:")
    print_factors(factors_of("conv_transpose1d"))
    return complete


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # into head, this ends as cat does
    sys.exit(main())
