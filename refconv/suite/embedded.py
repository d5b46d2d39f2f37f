"""The suite that travels inside the package: tier ``smoke``."""

from importlib.resources import files
from pathlib import Path


def smoke_folder() -> Path:
    """Return the folder of the embedded suite.

    Examples
    --------
    >>> smoke_folder().name
    'smoke'
    """
    return Path(str(files("refconv").joinpath("vectors", "smoke")))
