"""The frozen kill matrix: which cases of core catch which faulty convolution.

``scripts/select_core.py`` measures and writes it.  Models are told by golden values alone; what shows only in a
further call, in memory or in a near-tie went through the whole of ``refconv check``, until ``ENOUGH`` cases had
caught it.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib.resources import files

FILE = "kills.json"
AXES = "kills_axes.json"  # of the axes tier, by operator: "conv1d/kernel-flipped"; scripts/select_axes.py writes it
ENOUGH = 5  # cases that catch a fault in check; after them the measurement stops


@dataclass(frozen=True)
class Kills:
    """Who catches whom.

    Attributes
    ----------
    version : str
        Of the vectors that were measured.
    cases : tuple of str
        The ids of the cases, in the order of the suite.
    by_values : dict of str to list of str
        For each defect model the ids of the cases that catch it.
    by_check : dict of str to list of str
        For faults, and models that values do not tell, some of the cases on which check finds them.
    """

    version: str
    cases: tuple[str, ...]
    by_values: dict[str, list[str]]
    by_check: dict[str, list[str]]

    @functools.cached_property
    def all(self) -> dict[str, list[str]]:
        """Who catches whom, one way or the other."""
        slugs = dict.fromkeys([*self.by_values, *self.by_check])
        return {
            slug: sorted({*self.by_values.get(slug, ()), *self.by_check.get(slug, ())}, key=self._place.__getitem__)
            for slug in slugs
        }

    @functools.cached_property
    def _place(self) -> dict[str, int]:
        return {case_id: place for place, case_id in enumerate(self.cases)}

    def text(self) -> str:
        """Return the file: a model's cases are the bits of a number, the first case the lowest."""
        bits = {
            slug: hex(sum(1 << self._place[case_id] for case_id in ids)) for slug, ids in sorted(self.by_values.items())
        }
        content = {"version": self.version, "cases": self.cases, "byValues": bits,
                   "byCheck": dict(sorted(self.by_check.items()))}  # fmt: skip
        return json.dumps(content, indent=0) + "\n"

    @classmethod
    def parse(cls, text: str) -> Kills:
        """Read what :meth:`text` wrote."""
        content = json.loads(text)
        cases = tuple(content["cases"])
        return cls(
            content["version"], cases,
            {slug: _cases_of(int(bits, 16), cases) for slug, bits in content["byValues"].items()}, content["byCheck"],
        )  # fmt: skip


def _cases_of(bits: int, cases: tuple[str, ...]) -> list[str]:
    return [case_id for place, case_id in enumerate(cases) if bits >> place & 1]


@functools.cache
def frozen_kills(name: str = FILE) -> Kills:
    """Read a frozen matrix, by default that of core.

    Examples
    --------
    >>> "kernel-flipped" in frozen_kills().by_values
    True
    """
    return Kills.parse(files(__package__).joinpath(name).read_text(encoding="ascii"))
