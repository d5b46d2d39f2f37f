from dataclasses import replace
from importlib import import_module

import pytest

from refconv import Outcome, Report, XfailError
from refconv.check import Xfail, expect, read_xfails, write_xfails
from refconv.check.write_xfails import FILL_IN

LINK = "https://example.org/issues/7"
ENTRY = f'[[xfail]]\nmatch = "grouped-*"\nreason = "groups are ignored"\nissue = "{LINK}"\n'
KNOWN = Xfail("grouped-*", "groups are ignored", LINK, where="known.toml, entry 1")


def outcome(case_id="grouped-float32/g2", operation="forward", status="FAIL", message="all is wrong"):
    return Outcome(case_id, operation, status, (), "", "", "float32", "exact", message)


def report(*outcomes):
    return Report("mine", "core", "2026.1.31", outcomes)


def read(folder, text):
    path = folder / "known.toml"
    path.write_text(text, "utf-8")
    return read_xfails(path)


def test_an_entry_needs_a_pattern_a_reason_and_a_link(tmp_path):
    (entry,) = read(tmp_path, ENTRY)
    assert entry == replace(KNOWN, where=f"{tmp_path / 'known.toml'}, entry 1")


def test_an_entry_may_name_operations_a_status_and_that_it_is_not_strict(tmp_path):
    (entry,) = read(tmp_path, ENTRY + 'operations = ["grad_bias", "forward"]\nstatus = "CRASH"\nstrict = false\n')
    assert (entry.operations, entry.status, entry.strict) == (("forward", "grad_bias"), "CRASH", False)


def test_a_file_without_entries_expects_nothing(tmp_path):
    assert read(tmp_path, "# all is well\n") == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[xfail]]\nmatch = 1", "entry 1: reason, issue must be given"),
        (ENTRY + ENTRY + "why = 1", "entry 2: the keys must be among match, reason, .*, got why"),
        (ENTRY.replace('"grouped-*"', "7"), "entry 1: match must be a text, got 7"),
        (ENTRY.replace("groups are ignored", "  "), "entry 1: reason must not be empty"),
        (ENTRY.replace("grouped-*", ""), "entry 1: match must not be empty"),
        (ENTRY.replace(LINK, "#7"), "entry 1: issue must be a link .* such as https://.*, got '#7'"),
        (ENTRY.replace(LINK, FILL_IN), "entry 1: issue must be a link"),
        (ENTRY.replace(LINK, "https://"), "entry 1: issue must be a link"),
        (ENTRY.replace(LINK, "javascript:alert(1)"), "entry 1: issue must be a link"),
        (ENTRY.replace(LINK, "https://[oops"), "entry 1: issue must be a link"),
        (ENTRY + 'strict = "no"', "entry 1: strict must be true or false, got 'no'"),
        (ENTRY + "strict = 0", "entry 1: strict must be true or false, got 0"),
        (ENTRY + 'status = "PASS"', "entry 1: status must be one of FAIL, REJECTED, .*, got 'PASS'"),
        (ENTRY + 'status = ""', "entry 1: status must be one of"),
        (ENTRY + 'operations = "forward"', "entry 1: operations must be a list of operations, got 'forward'"),
        (ENTRY + "operations = []", "entry 1: operations must be some of forward, .*, got \\[\\]"),
        (ENTRY + 'operations = ["backward"]', "operations must be some of .*, got \\['backward'\\]"),
        (ENTRY + "operations = [[1]]", "operations must be some of"),
        ("[xfail]\nmatch = 1", r"must begin each entry with \[\[xfail\]\], in two pairs of brackets"),
        ("xfail = [1]", r"must begin each entry with \[\[xfail\]\]"),
        ("[[xfails]]", r"must hold tables \[\[xfail\]\] alone, got xfails"),
        ("[[xfail", "must be TOML"),
    ],
)
def test_a_broken_rule_is_one_sentence_with_the_file_and_the_entry(tmp_path, text, sentence):
    with pytest.raises(XfailError, match=f"known.toml.*{sentence}") as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_text_or_is_not_there_is_told_in_a_sentence(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(XfailError, match="must be TOML"):
        read_xfails(tmp_path / "binary")
    with pytest.raises(XfailError, match="must be a file of expected failures: No such file"):
        read_xfails(tmp_path / "nowhere")


@pytest.mark.parametrize("status", ["FAIL", "REJECTED", "ERROR", "CRASH", "TIMEOUT"])
def test_a_failure_that_is_expected_lets_the_run_pass_and_keeps_its_message(status):
    got = expect(report(outcome(status=status)), [KNOWN])
    assert got.passed
    assert got.outcomes[0].status == "XFAIL"
    assert got.outcomes[0].message == f"expected, groups are ignored ({LINK}): all is wrong"
    assert got.known() == {KNOWN: 1}


@pytest.mark.parametrize("status", ["PASS", "SUSPICIOUS"])
def test_a_right_result_that_was_expected_to_fail_is_a_failure(status):
    got = expect(report(outcome(status=status)), [KNOWN])
    assert not got.passed
    assert got.outcomes[0].status == "XPASS"
    assert "known.toml, entry 1 expects a failure: remove that entry" in got.outcomes[0].message


def test_an_entry_that_is_not_strict_lets_right_results_pass():
    assert expect(report(outcome(status="PASS")), [replace(KNOWN, strict=False)]).outcomes[0].status == "PASS"


def test_another_failure_than_the_expected_one_is_a_failure():
    got = expect(report(outcome(status="CRASH")), [replace(KNOWN, status="FAIL")])
    assert got.outcomes[0].status == "CRASH"


@pytest.mark.parametrize("other", [{"case_id": "depthwise/c3"}, {"operation": "grad_bias"}])
def test_an_entry_says_nothing_about_other_cases_and_operations(other):
    entry = replace(KNOWN, operations=("forward",))
    got = expect(report(outcome(**other), outcome()), [entry])
    assert [o.status for o in got.outcomes] == ["FAIL", "XFAIL"]


def test_an_entry_may_name_a_group():
    entry = replace(KNOWN, match="grouped-float32")
    assert expect(report(outcome()), [entry]).passed


def test_an_entry_that_matches_nothing_executed_is_a_warning():
    got = expect(report(outcome(status="UNSUPPORTED"), outcome("basic/one", status="PASS")), [KNOWN])
    assert got.passed
    assert got.warnings == ("this entry matches nothing that was executed: known.toml, entry 1 (grouped-*).",)
    assert expect(report(outcome()), [KNOWN]).warnings == ()


MIXED = (
    outcome("grouped-float32/g2-s1"),
    outcome("grouped-float32/g2-s2", message='no "groups"\n\x07\x7f\ud800 µ'),
    outcome("grouped-float32/g3", status="PASS"),
    outcome("grouped-float32/g4", status="CRASH"),
    outcome("plain-int8/a"),
    outcome("plain-int8/b"),
    outcome("plain-int8/a", "grad_bias"),
    outcome("plain-int8/b", "grad_bias"),
    outcome("apart-int8/a"),
    outcome("apart-int8/b", status="PASS"),
    outcome("apart-int8/c"),
    outcome("odd-int8/[a]*"),
    outcome("odd-int8/a", status="PASS"),
)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "known.toml"
    waiting = write_xfails(report(*MIXED), path)
    assert waiting == path.read_text("utf-8").count(FILL_IN) > 0
    path.write_text(path.read_text("utf-8").replace(FILL_IN, LINK), "utf-8")
    return path


def test_what_is_written_expects_exactly_what_failed(written):
    got = expect(report(*MIXED), read_xfails(written))
    assert got.passed
    expected = [("PASS" if before.status == "PASS" else "XFAIL") for before in MIXED]
    assert [after.status for after in got.outcomes] == expected
    assert got.warnings == ()


def test_patterns_are_as_few_as_match_nothing_right(written):
    entries = {(entry.match, entry.operations, entry.status) for entry in read_xfails(written)}
    assert entries == {
        ("grouped-float32/g2-s*", ("forward",), "FAIL"),
        ("grouped-float32/g4", ("forward",), "CRASH"),
        ("plain-int8/*", ("forward", "grad_bias"), "FAIL"),
        ("apart-int8/a", ("forward",), "FAIL"),
        ("apart-int8/c", ("forward",), "FAIL"),
        ("odd-int8/[[]a][*]", ("forward",), "FAIL"),
    }


def test_a_file_that_waits_for_links_is_refused(tmp_path):
    write_xfails(report(*MIXED), tmp_path / "known.toml")
    with pytest.raises(XfailError, match="entry 1: issue must be a link"):
        read_xfails(tmp_path / "known.toml")


def test_writing_again_keeps_links_and_drops_what_passes(written, tmp_path):
    mended = [replace(o, status="PASS") if o.case_id.startswith("plain") else o for o in MIXED]
    idle = replace(KNOWN, match="elsewhere/*", where="by hand, entry 1")
    loose = replace(KNOWN, match="grouped-float32/g3", strict=False, where="by hand, entry 2")
    known = (*read_xfails(written), idle, loose)
    again = expect(report(*mended), known)
    assert write_xfails(again, tmp_path / "again.toml", known) == 0
    entries = read_xfails(tmp_path / "again.toml")
    assert {"elsewhere/*", "grouped-float32/g3", "grouped-float32/g2-s*"} <= {entry.match for entry in entries}
    assert not any(entry.match.startswith("plain") for entry in entries)
    assert expect(report(*mended), entries).passed


def test_a_file_is_replaced_only_by_force(written):
    before = written.read_text("utf-8")
    with pytest.raises(XfailError, match=r"must not exist yet: .* or say --force"):
        write_xfails(report(*MIXED), written)
    assert written.read_text("utf-8") == before
    write_xfails(report(), written, force=True)
    assert read_xfails(written) == ()
    with pytest.raises(XfailError, match=r"the folder of .* must exist"):
        write_xfails(report(), written / "no" / "such" / "folder.toml")
    assert [path.name for path in written.parent.iterdir()] == ["known.toml"]


def test_an_unexpected_pass_is_not_written_down_again(tmp_path):
    known = [Xfail("plain-int8/*", "wrong", LINK)]
    got = expect(
        report(*(outcome(f"plain-int8/{name}") for name in "ac"), outcome("plain-int8/b", status="PASS")), known
    )
    assert [o.status for o in got.outcomes] == ["XFAIL", "XFAIL", "XPASS"]
    write_xfails(got, tmp_path / "known.toml", known)
    assert [entry.match for entry in read_xfails(tmp_path / "known.toml")] == ["plain-int8/a", "plain-int8/c"]


def test_a_list_that_the_system_does_not_take_is_one_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(import_module("refconv.check.write_xfails"), "replace_file", full)
    with pytest.raises(XfailError, match=r"known\.toml cannot be written: No space left on device"):
        write_xfails(report(), tmp_path / "known.toml")
