import math
from fractions import Fraction

import pytest

from refconv import FormatError
from refconv.quantization import Quantization, parse_quantization

ONE = Quantization(0.5, 3, (0.25, 1.5), (0, -4), 2.0, 7, "int8")


def test_the_multipliers_are_exact():
    thirds = Quantization(1.0, 0, (1.0,), (0,), 3.0, 0, "int8")
    assert thirds.multipliers == (Fraction(1, 3),)
    assert thirds.doubles == (1 / 3,)


def test_what_is_written_is_read_again():
    assert parse_quantization(ONE.as_dict()) == ONE


def test_nothing_that_is_written_is_a_float():
    stated = ONE.as_dict()
    assert stated["weight"] == {"scale": ["0x1.0000000000000p-2", "0x1.8000000000000p+0"], "zero_point": [0, -4]}


@pytest.mark.parametrize("scale", [0.1, 0.0, -1.0, math.inf, math.nan, 2.0**200])
def test_a_scale_that_is_no_positive_float32_is_refused(scale):
    with pytest.raises(FormatError, match="a scale must be a positive finite float32"):
        Quantization(scale, 0, (1.0,), (0,), 1.0, 0, "int8")


def test_another_output_format_is_refused():
    with pytest.raises(FormatError, match="must be int8 or uint8, got 'int16'"):
        Quantization(1.0, 0, (1.0,), (0,), 1.0, 0, "int16")
