import numpy as np
import pytest

import refconv
from refconv.implementations import RESULT_NAMES, Call
from refconv.implementations.hexwords import from_words, to_words
from refconv.implementations.protocol import Demand
from refconv.implementations.stream_results import StreamResults
from refconv.quantization import Quantization
from refconv.suite.embedded import smoke_folder

WORKED = "worked-example-float32-iota/x3x3-w2x2"
RIGHT = f"{WORKED} forward ok 4 42140000 423c0000 42860000 429a0000"


def judged(lines, select=(WORKED,)):
    session = StreamResults(lines)
    return refconv.check(session, refconv.load_suite(smoke_folder()), select, ["forward"]), session


def test_results_come_in_any_order():
    suite = refconv.load_suite(smoke_folder())
    lines = [
        " ".join(
            [case.id, operation, "ok", str(case.expected[name].tensor.size), *to_words(case.expected[name].tensor)]
        )
        for case in suite
        for operation, name in RESULT_NAMES.items()
        if name in case.expected
    ]
    report = refconv.check(StreamResults(reversed(lines)), suite)
    assert report.passed
    assert report.count()["PASS"] == 86


@pytest.mark.parametrize(
    ("line", "status", "sentence"),
    [
        (RIGHT, "PASS", ""),
        (RIGHT.upper().replace(WORKED.upper(), WORKED).replace("FORWARD OK", "forward ok"), "PASS", ""),
        (RIGHT.replace("42140000", "42140001"), "FAIL", "expected 37"),
        (f"{WORKED} forward unsupported no kernel", "UNSUPPORTED", "no kernel"),
        (f"{WORKED} forward rejected", "REJECTED", "refused a legal problem"),
        (f"{WORKED} forward error no memory", "ERROR", "broke down: no memory"),
        (f"{WORKED} forward fine", "ERROR", "a result is 'ok'"),
        (RIGHT.replace("ok 4", "ok 5"), "ERROR", "a result is 'ok'"),
        (RIGHT.replace("ok 4", "ok"), "ERROR", "a result is 'ok'"),
        (RIGHT.replace(" 429a0000", "").replace("ok 4", "ok 3"), "ERROR", "must have 4 words"),
        (RIGHT.replace("429a0000", "429a"), "ERROR", "must have 8 hexadecimal digits, got '429a'"),
        (RIGHT.replace("429a0000", "0x429a00"), "ERROR", "must have 8 hexadecimal digits"),
        (RIGHT.replace("429a0000", "-429a000"), "ERROR", "must have 8 hexadecimal digits"),
        (f"{RIGHT}\n{RIGHT}", "ERROR", "2 result lines came, one is due"),
        ("", "ERROR", "no result line came"),
    ],
)
def test_a_line_becomes_an_outcome(line, status, sentence):
    report, _ = judged(line.split("\n"))
    assert report.outcomes[0].status == status
    assert sentence in report.outcomes[0].message


def test_missing_results_and_lines_that_are_none_are_counted():
    _, session = judged(["hello world\n", "\n", "computing\n"])
    assert session.missing == [f"{WORKED} forward"]
    assert session.garbage == ["hello world", "computing"]


@pytest.mark.parametrize("name", ["float64", "float16", "bfloat16", "float8_e4m3fn", "int8", "int32"])
def test_words_are_the_bits(name):
    tensor = np.array([0, 1, 2, 5]).astype(refconv.formats.get_format(name).dtype)
    words = to_words(tensor)
    assert {len(word) for word in words} == {2 * tensor.dtype.itemsize}
    assert from_words(words, tensor.dtype).tobytes() == tensor.tobytes()


def test_a_stream_has_no_quantised_layers():
    demand = Demand(quantization=Quantization(1.0, 0, (1.0,), (0,), 1.0, 0, "int8"))
    with StreamResults([]) as session:
        answer = session.call(Call("a/b", "forward", {}, None, demand))
        assert (answer.status, answer.message) == ("UNSUPPORTED", "the stream has no quantised layers")
        assert session.missing == []
