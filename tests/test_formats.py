import numpy as np
import pytest

from refconv import FormatError
from refconv.formats import FORMATS, canonical_nans, get_format

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
    assert item.quantum_exponent == (0 if item.is_integer else item.min_exponent - item.precision + 1)
    assert item.smallest == {"int8": -128, "uint8": 0, "int32": -(2**31)}.get(name, -item.largest)


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


@pytest.mark.parametrize("name", [name for name in FORMATS if name.startswith(("float", "bfloat"))])
def test_the_integer_after_the_largest_exact_one_is_not_held(name):
    item = FORMATS[name]
    after = item.largest_integer + 1
    assert int(np.array(after, np.float64).astype(item.dtype)) != after


@pytest.mark.parametrize("name", FORMATS)
def test_products_are_added_in_float32_or_wider_and_those_of_integers_in_int32(name):
    item = FORMATS[name]
    assert item.accumulator == ("int32" if item.is_integer else "float64" if name == "float64" else "float32")


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
def test_integers_have_no_nans_to_be_replaced(dtype):
    tensor = np.array([[-1, 0, 127]]).astype(dtype)
    assert canonical_nans(tensor) is tensor


@pytest.mark.parametrize("name", ["float64", "float32", "float16", "bfloat16", "float8_e5m2", "float8_e4m3fn"])
def test_nans_become_the_canonical_one_and_other_numbers_stay(name):
    item = FORMATS[name]
    bits = np.array([-np.nan, 1.5, np.nan]).astype(item.dtype)
    changed = canonical_nans(bits)
    assert changed.view(f"u{item.dtype.itemsize}")[::2].tolist() == [item.nan_bits] * 2
    assert float(changed[1]) == 1.5


def test_an_unknown_format_is_refused_with_the_list():
    with pytest.raises(FormatError, match=r"format must be one of float64, .*, got 'float128'\."):
        get_format("float128")


@pytest.mark.parametrize("name", ["f4", "double", "single precision", ""])
def test_what_numpy_calls_a_format_otherwise_is_no_name(name):
    with pytest.raises(FormatError, match=f"format must be one of .*, got '{name}'"):
        get_format(name)


def test_a_format_may_be_named_by_its_dtype():
    assert get_format(np.dtype("int8")) is FORMATS["int8"]
