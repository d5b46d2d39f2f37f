"""The errors that refconv raises: each is one sentence, and each is also a built-in type."""


class RefconvError(Exception):
    """Base of every error that refconv raises on purpose."""


class GeometryError(RefconvError, ValueError):
    """A convolution that cannot exist: a rule of :class:`refconv.ConvProblem` is broken."""


class TensorError(RefconvError, ValueError):
    """A tensor whose shape, dtype or contents do not fit the problem."""


class FormatError(RefconvError, ValueError):
    """A number format that is unknown, or a value that it cannot hold."""


class SuiteError(RefconvError, ValueError):
    """A vector suite that is missing, damaged or not in format 1."""


class CatalogueError(RefconvError, KeyError):
    """A tier, group or case that the catalogue does not hold."""

    __str__ = Exception.__str__  # KeyError would print the sentence in quotes


class DisagreementError(RefconvError, ArithmeticError):
    """The references differ: nothing is written until they agree."""


class WorkerError(RefconvError, RuntimeError):
    """Work that failed for a reason that is none of ours, or nobody to do it."""


class ReportError(RefconvError, OSError):
    """A report that cannot be written: an unknown form, or a place that is not there."""


class ImplementationError(RefconvError, ImportError):
    """An implementation that cannot be found, imported or started."""


class JudgeError(RefconvError, ValueError):
    """An accuracy class that does not exist."""


class XfailError(RefconvError, ValueError):
    """A file of expected failures that cannot be read, or may not be replaced."""
