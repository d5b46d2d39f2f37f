from __future__ import annotations

import contextlib
import json
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from refconv.errors import SuiteError
from refconv.formats import FORMATS
from refconv.suite.safetensors_codec import CODES, decode, encode, read_header

NAMES = st.text(st.characters(codec="utf-8"), max_size=8).filter(lambda name: name != "__metadata__")
SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)


@st.composite
def tensors(draw: Any) -> np.ndarray:
    dtype, shape = FORMATS[draw(st.sampled_from(sorted(FORMATS)))].dtype, draw(SHAPES)
    size = int(np.prod(shape)) * dtype.itemsize
    return np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8).view(dtype).reshape(shape)


def bits(array: np.ndarray) -> tuple[str, tuple[int, ...], bytes]:
    return array.dtype.name, array.shape, array.tobytes()


def file_of(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(shape: Any, begin: Any, end: Any, dtype: Any = "I8") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_every_format_has_a_code() -> None:
    assert set(CODES) == set(FORMATS)


@settings(deadline=None)
@given(st.dictionaries(NAMES, tensors(), max_size=6))
def test_bytes_equal_those_of_the_official_writer(named: dict[str, np.ndarray]) -> None:
    assert encode(named) == safetensors.numpy.save(named)


@settings(deadline=None)
@given(st.dictionaries(NAMES, tensors(), max_size=6))
def test_decoding_returns_what_was_encoded_to_the_last_bit(named: dict[str, np.ndarray]) -> None:
    decoded = decode(encode(named))
    assert {name: bits(array) for name, array in decoded.items()} == {name: bits(a) for name, a in named.items()}


@settings(deadline=None)
@given(st.dictionaries(NAMES, tensors(), max_size=6), st.randoms())
def test_bytes_do_not_depend_on_the_order_of_the_dictionary(named: dict[str, np.ndarray], random: Any) -> None:
    shuffled = list(named.items())
    random.shuffle(shuffled)
    assert encode(dict(shuffled)) == encode(named)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_one_of_each_dtype_sorts_as_the_official_writer_does(name: str) -> None:
    named = {"b": np.ones((2, 3), FORMATS[name].dtype)}
    named |= {f"a{other}": np.ones(5, item.dtype) for other, item in FORMATS.items()}
    assert encode(named) == safetensors.numpy.save(named)


@pytest.mark.parametrize("dtype", [">f8", ">f4", ">f2", ">i4"])
def test_big_endian_input_comes_out_little_endian(dtype: str) -> None:
    array = np.arange(-3, 3).reshape(2, 3).astype(dtype)
    assert encode({"x": array}) == encode({"x": array.astype(array.dtype.newbyteorder("<"))})


def test_big_endian_bits_of_a_signalling_nan_survive() -> None:
    array = np.array([0x7F800001], ">u4").view(">f4")
    assert decode(encode({"x": array}))["x"].view(np.uint32)[0] == 0x7F800001


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16, ml_dtypes.float8_e5m2])
def test_non_contiguous_input_comes_out_packed(dtype: Any) -> None:
    array = np.arange(24).reshape(4, 6).astype(dtype)[::2, ::-3].T
    assert encode({"x": array}) == encode({"x": np.ascontiguousarray(array)})


def test_offsets_of_the_header_are_absolute() -> None:
    data = encode({"x": np.array([1, 2], np.int32), "y": np.array([3.5])})
    slot = read_header(data)["x"]
    assert data[slot.offset : slot.offset + slot.nbytes] == b"\x01\0\0\0\x02\0\0\0"


def test_a_slot_says_what_lies_where() -> None:
    slot = read_header(encode({"x": np.ones((2, 3), np.float16)}))["x"]
    assert str(slot) == "12 bytes of float16 [2, 3] at byte 72"


def test_a_tensor_has_up_to_64_axes() -> None:
    array = np.ones([1] * 64, np.int8)
    assert decode(encode({"x": array}))["x"].shape == array.shape


def test_of_slots_that_were_read_before_those_are_decoded_that_are_wanted() -> None:
    data = encode({"x": np.array([1, 2], np.int32), "y": np.array([3.5])})
    assert list(decode(data, slots={"y": read_header(data)["y"]})) == ["y"]


def test_decoded_arrays_are_read_only() -> None:
    array = decode(encode({"x": np.ones(2)}))["x"]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 2


@pytest.mark.parametrize("array", [np.ones(2, np.int64), np.ones(2, complex), np.array([None])])
def test_writing_an_unknown_dtype_is_refused_with_the_name_of_the_tensor(array: np.ndarray) -> None:
    with pytest.raises(SuiteError, match="tensor 'odd': format must be one of"):
        encode({"odd": array})


def test_writing_metadata_is_refused() -> None:
    with pytest.raises(SuiteError, match="__metadata__"):
        encode({"__metadata__": np.ones(1)})


def test_writing_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(SuiteError, match="valid Unicode"):
        encode({"\ud800": np.ones(1)})


DAMAGE = {
    "empty-file": (b"", "header must lie inside"),
    "short-file": (b"\x02\0\0", "header must lie inside"),
    "header-beyond-the-file": ((2**63).to_bytes(8, "little") + b"{}", "header must lie inside"),
    "header-one-byte-too-long": ((3).to_bytes(8, "little") + b"{}", "header must lie inside"),
    "header-is-no-json": (file_of(b"{"), "must be JSON"),
    "header-is-no-utf8": (file_of(b'{"\xff":1}'), "must be UTF-8"),
    "header-is-a-list": (file_of([]), "must be a JSON object"),
    "header-nested-too-deeply": (file_of(b"[" * 200_000), "nested too deeply"),
    "entry-nested-too-deeply": (file_of(b'{"x":' + b"[" * 200_000), "nested too deeply"),
    "huge-integer": (file_of(b'{"x":' + b"9" * 5000 + b"}"), "must be JSON"),
    "metadata": (file_of({"__metadata__": {"format": "pt"}}), "'__metadata__' must have dtype"),
    "duplicate-tensor": (file_of(b'{"x":1,"x":2}'), "a JSON key must stand once in its object, got 'x' twice"),
    "duplicate-field": (file_of(b'{"x":{"dtype":1,"dtype":2}}'), "got 'dtype' twice"),
    "nan": (file_of(b'{"x":NaN}'), "never floats, got NaN"),
    "infinity": (file_of(b'{"x":-Infinity}'), "never floats, got -Infinity"),
    "float-offset": (file_of({"x": entry([1], 0, 1.0)}, b"1"), "never floats, got 1.0"),
    "missing-field": (file_of({"x": {"dtype": "I8", "shape": [1]}}, b"1"), "tensor 'x' must have dtype, shape"),
    "extra-field": (file_of({"x": entry([1], 0, 1) | {"more": 1}}, b"1"), "and no more"),
    "entry-is-null": (file_of({"x": None}), "tensor 'x' must have dtype"),
    "unknown-dtype": (file_of({"x": entry([1], 0, 1, "I4")}, b"1"), "tensor 'x' must have one of the dtypes"),
    "dtype-is-a-list": (file_of({"x": entry([1], 0, 1, ["I8"])}, b"1"), "one of the dtypes"),
    "negative-extent": (file_of({"x": entry([-1, -1], 0, 1)}, b"1"), r"shape of at most 64 extents, got \[-1, -1\]"),
    "boolean-extent": (file_of({"x": entry([True], 0, 1)}, b"1"), "shape of at most 64 extents"),
    "too-many-axes": (file_of({"x": entry([1] * 65, 0, 1)}, b"1"), "shape of at most 64 extents"),
    "unaddressable-empty-shape": (file_of({"x": entry([0, 2**62, 2**62], 0, 0)}), "can be addressed"),
    "extent-beyond-64-bits": (file_of({"x": entry([0, 2**63], 0, 0)}), "shape of at most 64 extents"),
    "backward-offsets": (file_of({"x": entry([1], 1, 0)}, b"1"), r"data_offsets \[begin, end\]"),
    "negative-offset": (file_of({"x": entry([1], -1, 0)}, b"1"), r"data_offsets \[begin, end\]"),
    "three-offsets": (file_of({"x": entry([1], 0, 1) | {"data_offsets": [0, 1, 2]}}, b"1"), "data_offsets"),
    "size-is-not-the-shape": (file_of({"x": entry([3], 0, 2)}, b"12"), "tensor 'x' must have 3 bytes"),
    "huge-shape": (file_of({"x": entry([2**40, 2**40], 0, 1)}, b"1"), "tensor 'x' must have"),
    "offsets-beyond-the-file": (file_of({"x": entry([2], 0, 2)}, b"1"), "must end with the file"),
    "bytes-behind-the-tensors": (file_of({"x": entry([1], 0, 1)}, b"12"), "must end with the file"),
    "overlap": (file_of({"x": entry([2], 0, 2), "y": entry([2], 1, 3)}, b"123"), "tensor 'y' must begin where"),
    "gap": (file_of({"x": entry([1], 0, 1), "y": entry([1], 2, 3)}, b"123"), "tensor 'y' must begin where"),
    "gap-at-the-beginning": (file_of({"x": entry([1], 1, 2)}, b"12"), "tensor 'x' must begin where"),
    "same-place-twice": (file_of({"x": entry([1], 0, 1), "y": entry([1], 0, 1)}, b"1"), "must begin where"),
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_damage_is_one_sentence_that_names_the_file(damage: str) -> None:
    data, sentence = DAMAGE[damage]
    with pytest.raises(SuiteError, match=sentence) as caught:
        decode(data, "core/x.safetensors")
    assert str(caught.value).startswith("core/x.safetensors: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@settings(deadline=None)
@given(st.binary(max_size=64), st.integers(0, 70))
def test_no_bytes_raise_anything_but_a_suite_error(data: bytes, length: int) -> None:
    with contextlib.suppress(SuiteError):
        decode(length.to_bytes(8, "little") + data)


def test_arrays_are_read_only_even_over_a_buffer_that_is_not() -> None:
    assert not decode(bytearray(encode({"x": np.ones(2)})))["x"].flags.writeable  # type: ignore[arg-type]


def test_a_tensor_without_elements_may_stand_behind_the_one_that_begins_at_its_place() -> None:
    decoded = decode(file_of({"x": entry([1], 0, 1), "empty": entry([0, 3], 0, 0)}, b"\x07"))
    assert {name: array.tolist() for name, array in decoded.items()} == {"empty": [], "x": [7]}


def test_a_payload_without_a_name_is_called_the_payload() -> None:
    for read in (decode, read_header):
        with pytest.raises(
            SuiteError, match=r"^payload: the header must lie inside the file, got 0 bytes of header in 0 "
        ):
            read(b"")


def test_a_header_that_is_no_object_is_shown() -> None:
    with pytest.raises(SuiteError, match=r"^x: the header must be a JSON object, got \[1, 2\]\.$"):
        read_header((6).to_bytes(8, "little") + b"[1, 2]", "x")
