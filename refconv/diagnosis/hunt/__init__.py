"""The hunt: property-based search for a failing problem, shrunk to the smallest."""

from refconv.diagnosis.hunt.attempt import Attempt, read_attempt
from refconv.diagnosis.hunt.hunt import DTYPES, Hunt, hunt
from refconv.diagnosis.hunt.replay import replay
from refconv.diagnosis.hunt.reproducer import reproducer
from refconv.diagnosis.hunt.source import source_of
from refconv.diagnosis.hunt.trial import Catch, trial

__all__ = ["DTYPES", "Attempt", "Catch", "Hunt", "hunt", "read_attempt", "replay", "reproducer", "source_of", "trial"]
