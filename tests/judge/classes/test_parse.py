import pytest

from refconv import JudgeError
from refconv.judge import parse_class

FORMS = [
    "exact", "correctly_rounded", "standard", "standard:float32", "standard:int32", "ftz", "ftz:float32",
    "reduced:tf32", "reduced:bf16", "split:4:bfloat16", "winograd:2", "winograd:4", "fft", "tosa",
]  # fmt: skip
BAD = [
    "", "wino", "exact:1", "standard:", "standard:float31", "standard:float32:4", "ftz:int8", "reduced", "reduced:fp8",
    "split:4", "split:0:float32", "split:x:float32", "split:4:int8", "winograd", "winograd:3", "winograd:x", "fft:2",
    "tosa:1",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMS)
def test_a_class_reads_back_what_it_writes(text):
    assert parse_class(text).name == text


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused_in_one_sentence_that_lists_the_forms(text):
    with pytest.raises(JudgeError, match=r"^an accuracy class must be one of exact, .* fft, tosa, got '.*'\.$"):
        parse_class(text)
