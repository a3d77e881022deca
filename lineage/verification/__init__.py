"""Verify: whether a dataset is what was published, byte for byte and in all that it says."""

from lineage.verification.findings import CHECKS, FAULTS
from lineage.verification.run_checks import Verification, examine, verify

__all__ = ["CHECKS", "FAULTS", "Verification", "examine", "verify"]
