"""What can be asked of an export, beside which cases."""

from __future__ import annotations

from dataclasses import dataclass, fields

from refconv.errors import CatalogueError
from refconv.implementations.layouts import Layouts

WORD_BITS = (8, 16, 32, 64, 128)


@dataclass(frozen=True)
class Options:
    """The options of an export; not every format takes each of them.

    Attributes
    ----------
    prompt_only : bool
        Leave out what is expected.
    max_bytes : int, optional
        Leave out operations whose tensors together have more bytes.
    layout : {"NCHW", "NHWC"}
    weight_layout : {"OIHW", "HWIO", "OHWI"}
    word_bits : int, optional
        The width of a word of memory, for hex.
    lanes : int, optional
        How many elements share a word, for hex.
    main : bool
        Add a program that runs all cases, for c-header.

    Raises
    ------
    CatalogueError
        If a number is none of those allowed.
    """

    prompt_only: bool = False
    max_bytes: int | None = None
    layout: str = "NCHW"
    weight_layout: str = "OIHW"
    word_bits: int | None = None
    lanes: int | None = None
    main: bool = False

    def __post_init__(self) -> None:
        if self.word_bits is not None and self.word_bits not in WORD_BITS:
            raise CatalogueError(f"word_bits must be one of {', '.join(map(str, WORD_BITS))}, got {self.word_bits}.")
        if self.lanes is not None and not 1 <= self.lanes <= 1024:
            raise CatalogueError(f"lanes must be from 1 to 1024, got {self.lanes}.")
        if self.word_bits and self.lanes and self.word_bits % (8 * self.lanes):
            raise CatalogueError(
                f"word_bits must be whole bytes for each lane, got word_bits={self.word_bits}, lanes={self.lanes}; "
                f"choose lanes from {', '.join(str(2**i) for i in range(5) if self.word_bits % (8 * 2**i) == 0)}."
            )

    @property
    def layouts(self) -> Layouts:
        """How the tensors lie."""
        return Layouts(self.layout, self.weight_layout)

    @property
    def given(self) -> tuple[str, ...]:
        """The names of those that are not as by default."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) != field.default)
