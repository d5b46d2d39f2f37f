"""The number formats of a whole case, by a label such as ``bfloat16-to-float32`` or ``uint8-by-int8``."""

from __future__ import annotations

from dataclasses import dataclass

from refconv.formats import NumberFormat, get_format, natural_output


@dataclass(frozen=True)
class Elements:
    """The formats of x (and grad_output), of the weight, and of the results (and the bias)."""

    x: NumberFormat
    weight: NumberFormat
    out: NumberFormat

    @property
    def mixed(self) -> bool:
        """Whether they are not all the same."""
        return len({self.x.name, self.weight.name, self.out.name}) > 1


def parse_elements(label: str) -> Elements:
    """Read ``X``, ``X-by-WEIGHT``, ``X-to-OUT`` or ``X-by-WEIGHT-to-OUT``.

    What is left out is natural: the weight has the format of x, and the results too, except that
    integers give int32.

    Examples
    --------
    >>> elements = parse_elements("uint8-by-int8")
    >>> elements.x.name, elements.weight.name, elements.out.name
    ('uint8', 'int8', 'int32')
    >>> parse_elements("bfloat16-to-float32").out.name
    'float32'
    """
    factors, _, out = label.partition("-to-")
    x, _, weight = factors.partition("-by-")
    return Elements(get_format(x), get_format(weight or x), get_format(out) if out else natural_output(x))
