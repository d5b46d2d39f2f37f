"""Problems that must be refused: for the vectors that ask whether they are."""

from __future__ import annotations

from refconv.errors import GeometryError
from refconv.problem import ConvProblem, Size


class IllegalProblem(ConvProblem):
    """A convolution that cannot exist, because a rule of :class:`refconv.ConvProblem` is broken.

    It has no output.  A kernel that exceeds the padded input is no case of it, see
    :class:`refconv.problem.OversizedProblem`.

    Raises
    ------
    GeometryError
        If no rule is broken.

    Examples
    --------
    >>> IllegalProblem(batch=1, in_channels=3, out_channels=4, input_size=(4, 5), kernel_size=(2, 3), groups=2).rule
    'in_channels must be divisible by groups, got in_channels=3, groups=2.'
    """

    def __post_init__(self) -> None:
        """Bring every field to its canonical form, and see that a rule is broken."""
        self._canonical()
        if not self.rule:
            raise GeometryError(f"an IllegalProblem must break a rule, got {self}.")

    @property
    def rule(self) -> str:
        """The rule that is broken, in one sentence."""
        try:
            ConvProblem(**vars(self))
        except GeometryError as error:
            return str(error)
        return ""

    @property
    def output_size(self) -> Size:
        """Zeros: nothing comes out."""
        return (0,) * len(self.input_size)

    @property
    def weight_shape(self) -> Size:
        """(K, C/G, kH, kW), with C/G floored and C where there are no groups."""
        return (self.out_channels, self.in_channels // max(self.groups, 1), *self.kernel_size)
