import json

import numpy as np
import pytest
from foreign import needs_posix

import refconv
from refconv import SuiteError
from refconv.implementations import RESULT_NAMES
from refconv.implementations.messages import packed
from refconv.implementations.result_folder import LARGEST, ResultFolder, result_file
from refconv.suite.embedded import smoke_folder

WORKED = "worked-example-float32-iota/x3x3-w2x2"
Y = f"{WORKED}.forward.bin"


@pytest.fixture
def suite():
    return refconv.load_suite(smoke_folder())


@pytest.fixture
def results(tmp_path, suite):
    """Write the golden values of the suite as if somebody had computed them."""
    for case in suite:
        for operation, name in RESULT_NAMES.items():
            if name in case.expected:
                path = tmp_path / result_file(case.id, operation)
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(packed(case.expected[name].tensor))
    return tmp_path


def judged(results, suite, select=(WORKED,), operations=("forward",)):
    with ResultFolder(results, suite) as session:
        report = refconv.check(session, suite, select, operations)
    return report, session


def test_right_results_pass_and_nobody_is_asked_twice(results, suite):
    report, session = judged(results, suite, ["*"], refconv.problem.OPERATIONS)
    assert report.passed
    assert report.count()["PASS"] == len(report.outcomes) == 86
    assert session.missing == session.strangers(suite) == []


def test_a_wrong_result_fails(results, suite):
    (results / Y).write_bytes(np.zeros(4, np.float32).tobytes())
    report, _ = judged(results, suite)
    assert report.outcomes[0].status == "FAIL"


def test_a_missing_result_is_never_green(results, suite):
    (results / Y).unlink()
    report, session = judged(results, suite)
    assert not report.passed
    assert (report.outcomes[0].status, report.outcomes[0].message) == ("ERROR", f"no result: the file {Y} is missing")
    assert session.missing == [Y]


def test_hexadecimal_words_are_read_where_there_is_no_packed_file(results, suite):
    words = (results / Y).with_suffix(".hex")
    (results / Y).unlink()
    words.write_text("// 0x00000000\n42140000\n423C0000 // the second\n42860000\n429a0000\n")
    report, session = judged(results, suite)
    assert report.passed
    assert session.missing == []
    (results / Y).write_bytes(bytes(16))  # counts, where both are there
    assert judged(results, suite)[0].outcomes[0].status == "FAIL"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("42140000\n423c0000\n42860000", "must hold 4 words, one element each, got 3"),
        ("42140000\n423c0000\n42860000\nxxxxxxxx", "a word of float32 must have 8 hexadecimal digits, got 'xxxxxxxx'"),
        ("42140000\n423c0000\n42860000\n9a", "a word of float32 must have 8 hexadecimal digits, got '9a'"),
        ("0" * 5000, "must hold 4 words, one element each, got 5000 bytes"),
    ],
)
def test_other_words_are_an_error_with_the_rule(results, suite, text, said):
    words = (results / Y).with_suffix(".hex")
    (results / Y).rename(words).write_text(text)
    (outcome,) = judged(results, suite)[0].outcomes
    assert outcome.status == "ERROR"
    assert outcome.message.startswith(f"{words.relative_to(results)}")
    assert outcome.message.endswith(said)


def test_an_empty_folder_is_all_missing(tmp_path, suite):
    report, session = judged(tmp_path, suite, ["*"])
    assert report.count()["ERROR"] == len(report.outcomes) == len(session.missing) == 33


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_a_wrong_size_is_an_error_with_both_sizes(results, suite, size):
    (results / Y).write_bytes(b"\0" * size)
    report, _ = judged(results, suite)
    assert report.outcomes[0].message == f"{Y} must have 16 bytes, got {size}"
    assert report.outcomes[0].status == "ERROR"


@needs_posix
@pytest.mark.parametrize("what", ["link", "folder-link", "folder", "pipe"])
def test_only_regular_files_in_the_folder_are_read(results, suite, what):
    import os

    place = results / Y
    content = place.read_bytes()
    place.unlink()
    if what == "link":
        (results / "real").write_bytes(content)
        place.symlink_to(results / "real")
    elif what == "folder-link":
        place.write_bytes(content)
        place.parent.rename(results / "elsewhere")
        place.parent.symlink_to(results / "elsewhere")
    else:
        place.mkdir() if what == "folder" else os.mkfifo(place)
    report, _ = judged(results, suite)
    assert report.outcomes[0].status == "ERROR"
    assert "must" in report.outcomes[0].message


def test_statuses_are_stated_beside_the_files(results, suite):
    stated = {WORKED: {"forward": {"status": "unsupported", "message": "no kernel"}, "grad_input": {"status": "crash"}}}
    (results / "results.json").write_text(json.dumps({"name": "board", "results": stated}))
    report, _ = judged(results, suite, operations=["forward", "grad_input", "grad_weight"])
    assert report.implementation == "board"
    assert [outcome.status for outcome in report.outcomes] == ["UNSUPPORTED", "CRASH", "PASS"]
    assert report.outcomes[0].message == "no kernel"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "must be JSON"),
        ("[]", "must look like"),
        ('{"name": 3}', "must look like"),
        ('{"results": {"nothing/here": {}}}', "there is no case 'nothing/here'"),
        (f'{{"results": {{"{WORKED}": []}}}}', "must map operations"),
        (f'{{"results": {{"{WORKED}": {{"sideways": {{"status": "ok"}}}}}}}}', "must map operations"),
        (f'{{"results": {{"{WORKED}": {{"forward": {{"status": "pass"}}}}}}}}', "must map operations"),
    ],
)
def test_a_damaged_statement_is_one_sentence(results, suite, text, sentence):
    (results / "results.json").write_text(text)
    with pytest.raises(SuiteError, match=r"results\.json") as caught:
        ResultFolder(results, suite)
    assert sentence in str(caught.value)


@needs_posix
@pytest.mark.parametrize(("what", "sentence"), [
    ("pipe", "must be a regular file"), ("folder", "must be a regular file"), ("link", "must be a regular file"),
    ("sparse", f"must have at most {LARGEST} bytes, got {LARGEST + 1}"),
])  # fmt: skip
def test_a_statement_that_is_no_file_or_fills_all_memory_is_one_sentence(results, suite, what, sentence):
    import os

    place = results / "results.json"
    make = {"pipe": os.mkfifo, "folder": os.mkdir, "link": lambda path: path.symlink_to("/dev/zero")}
    make.get(what, lambda path: path.write_bytes(b"{}"))(place)
    if what == "sparse":
        os.truncate(place, LARGEST + 1)
    with pytest.raises(SuiteError, match=r"results\.json") as caught:
        ResultFolder(results, suite)
    assert sentence in str(caught.value)


def test_files_of_no_case_are_listed(results, suite):
    (results / "worked-example-float32-iota" / "x3x3-w3x3.forward.bin").write_bytes(b"")
    _, session = judged(results, suite)
    assert session.strangers(suite) == ["worked-example-float32-iota/x3x3-w3x3.forward.bin"]


def test_results_must_be_a_folder(tmp_path, suite):
    with pytest.raises(SuiteError, match="results must be a folder, and there is none"):
        ResultFolder(tmp_path / "none", suite)
