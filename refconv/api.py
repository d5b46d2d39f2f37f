"""Everything that ``import refconv`` offers, each name from its room; the package loads it when it is asked for one."""

from refconv.check import Outcome, Report, assert_conv2d, check
from refconv.diagnosis import Diagnosis, Fingerprint, Hunt, diagnose, fingerprint, hunt, with_causes
from refconv.errors import (
    CatalogueError,
    DisagreementError,
    FormatError,
    GeometryError,
    ImplementationError,
    JudgeError,
    RefconvError,
    ReportError,
    SuiteError,
    TensorError,
    XfailError,
)
from refconv.functional import (
    Gradients,
    conv1d,
    conv1d_backward,
    conv2d,
    conv2d_backward,
    conv3d,
    conv3d_backward,
    exact_conv1d,
    exact_conv2d,
    exact_conv3d,
)
from refconv.generate import generate
from refconv.problem import ConvProblem
from refconv.reference.sparse import convolution_matrix
from refconv.suite import Suite, load_suite

__all__ = [
    "CatalogueError",
    "ConvProblem",
    "Diagnosis",
    "DisagreementError",
    "Fingerprint",
    "FormatError",
    "GeometryError",
    "Gradients",
    "Hunt",
    "ImplementationError",
    "JudgeError",
    "Outcome",
    "RefconvError",
    "Report",
    "ReportError",
    "Suite",
    "SuiteError",
    "TensorError",
    "XfailError",
    "assert_conv2d",
    "check",
    "conv1d",
    "conv1d_backward",
    "conv2d",
    "conv2d_backward",
    "conv3d",
    "conv3d_backward",
    "convolution_matrix",
    "diagnose",
    "exact_conv1d",
    "exact_conv2d",
    "exact_conv3d",
    "fingerprint",
    "generate",
    "hunt",
    "load_suite",
    "with_causes",
]
