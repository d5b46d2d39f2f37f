"""Print what the covering arrays cover: ``python scripts/coverage.py [--pairs-only]``.

Exits with 1 if a legal pair does not occur in core, or a legal triple in extended.
"""

import signal
import sys
from collections import Counter

from refconv.catalogue import cases
from refconv.catalogue.coverage import blocks, coverage


def main():
    """Print the factors with their values, then the counts."""
    for block in blocks():
        for name in block.factors:
            values = dict.fromkeys(value for [(_, value)] in block.project((name,)))
            print(f"{name:20} {' '.join(values)}")
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
    elements = Counter(spec.element for tier in ("core", "extended") for spec in cases(tier))
    print("cases by format:", ", ".join(f"{name} {count}" for name, count in elements.most_common()))
    return 0 if complete else 1


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # into head, this ends as cat does
    sys.exit(main())
