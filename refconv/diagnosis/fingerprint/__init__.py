"""The fingerprint: which arithmetic an implementation uses."""

from refconv.diagnosis.fingerprint.bench import SHAPES
from refconv.diagnosis.fingerprint.fingerprint import DTYPES, Arithmetic, Fingerprint, fingerprint

__all__ = ["DTYPES", "SHAPES", "Arithmetic", "Fingerprint", "fingerprint"]
