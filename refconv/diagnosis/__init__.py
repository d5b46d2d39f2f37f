"""Which bug is it?  Defect models predict their own output; what fits to the last bit is named."""

from refconv.diagnosis.causes import with_causes
from refconv.diagnosis.defects import all_defects
from refconv.diagnosis.diagnose import Diagnosis, diagnose
from refconv.diagnosis.fingerprint import Fingerprint, fingerprint
from refconv.diagnosis.hunt import Hunt, hunt

__all__ = ["Diagnosis", "Fingerprint", "Hunt", "all_defects", "diagnose", "fingerprint", "hunt", "with_causes"]
