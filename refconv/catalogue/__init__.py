"""The catalogue: which cases exist, and the bugs that each one hunts."""

from refconv.catalogue.inputs import FILLS
from refconv.catalogue.spec import CaseSpec, Row
from refconv.catalogue.tiers import TIERS, VERSION, cases

__all__ = ["FILLS", "TIERS", "VERSION", "CaseSpec", "Row", "cases"]
