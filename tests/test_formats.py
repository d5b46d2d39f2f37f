import numpy as np
import pytest

from refconv import FormatError
from refconv.formats import FORMATS, get_format

# IEEE 754-2019 table 3.5; bfloat16; OCP 8-bit floating point specification, table 1.  p, emin, largest, infinity.
TABLE = {
    "float64": (53, -1022, (2 - 2.0**-52) * 2.0**1023, True),
    "float32": (24, -126, (2 - 2.0**-23) * 2.0**127, True),
    "float16": (11, -14, 65504.0, True),
    "bfloat16": (8, -126, (2 - 2.0**-7) * 2.0**127, True),
    "float8_e5m2": (3, -14, 57344.0, True),
    "float8_e4m3fn": (4, -6, 448.0, False),
    "int8": (7, 0, 127, False),
    "uint8": (8, 0, 255, False),
    "int32": (31, 0, 2**31 - 1, False),
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_parameters_are_those_of_the_standards(name):
    item = FORMATS[name]
    assert (item.precision, item.min_exponent, item.largest, item.has_infinity) == TABLE[name]


@pytest.mark.parametrize("name", ["float64", "float32", "float16", "bfloat16", "float8_e5m2", "float8_e4m3fn"])
def test_the_smallest_number_is_the_first_bit_pattern(name):
    item = FORMATS[name]
    first = np.array([1], dtype=f"u{item.dtype.itemsize}").view(item.dtype)
    assert float(first[0]) == 2.0**item.quantum_exponent


@pytest.mark.parametrize("name", FORMATS)
def test_integers_up_to_the_largest_exact_one_are_held(name):
    item = FORMATS[name]
    top = item.largest_integer
    assert [int(value) for value in np.array([top - 1, top]).astype(item.dtype)] == [top - 1, top]


def test_an_unknown_format_is_refused_with_the_list():
    with pytest.raises(FormatError, match=r"format must be one of float64, .*, got 'float128'\."):
        get_format("float128")


def test_a_format_may_be_named_by_its_dtype():
    assert get_format(np.dtype("int8")) is FORMATS["int8"]
