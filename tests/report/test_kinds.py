from __future__ import annotations

from dataclasses import replace

from refconv.check import Xfail, expect
from refconv.check.causes import Cause
from refconv.problem import ConvProblem
from refconv.report.kinds import kinds_of

SMALL = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(3, 4), kernel_size=(2, 3))


def titles(report):
    return [(kind.title, len(kind.outcomes)) for kind in kinds_of(report)]


def caused(report, failures, **fields):
    cause = Cause("kernel-flipped", (), "The kernel is flipped.", "", frozenset(failures), ("forward",), 2, **fields)
    return replace(report, causes=(cause,))


def test_wrong_results_go_by_flag_and_breakdowns_by_message(mixed):
    assert titles(mixed) == [
        ("forward: wrong on some Grouped cases", 2),
        ("grad_input: raised ValueError on a legal problem: no", 1),
        ("grad_weight: broke down with IndexError: 7", 1),
    ]


def test_failures_that_one_defect_predicts_are_one_kind_whatever_their_operation(report_of, failure, outcome):
    gradient = replace(failure("odd/b"), operation="grad_input")
    report = report_of(failure("basic/a", SMALL), gradient, failure("other/c"), outcome("fine/d"))
    first, second = kinds_of(caused(report, [("basic/a", "forward"), ("odd/b", "grad_input")]))
    assert (first.title, first.operations) == ("kernel-flipped", {"forward": 1, "grad_input": 1})
    assert [outcome.case_id for outcome in second.outcomes] == ["other/c"]


def test_a_defect_that_right_results_contradict_is_only_like_it(report_of, failure):
    report = caused(report_of(failure("basic/a")), [("basic/a", "forward")], contradicted=3)
    assert titles(report) == [("like kernel-flipped", 1)]


def test_messages_that_differ_in_numbers_and_names_are_one_kind(report_of, outcome):
    texts = ["broke down with IndexError: index 7 of 5", "broke down with IndexError: index 70 of 'x'"]
    outcomes = [outcome(f"basic/{i}", status="ERROR", message=text) for i, text in enumerate(texts)]
    outcomes.append(outcome("basic/placed", status="ERROR", message="broke down with IndexError at a.py:5: x"))
    outcomes.append(outcome("basic/later", status="ERROR", message="broke down with IndexError at a.py:70: y"))
    other = outcome("basic/other", status="ERROR", message="broke down with TypeError: no")
    assert titles(report_of(*outcomes, other)) == [
        ("forward: broke down with IndexError: index 7 of 5", 2),
        ("forward: broke down with IndexError at a.py:5: x", 2), ("forward: broke down with TypeError: no", 1),
    ]  # fmt: skip


def test_operations_that_break_down_in_the_same_words_are_one_kind(report_of, outcome):
    text = "raised TypeError on a legal problem: Layer.backward must return three gradients, got {}"
    gradients = [
        outcome("basic/a", operation, "REJECTED", message=text.format(number))
        for number, operation in enumerate(["grad_input", "grad_weight"])
    ]
    other = outcome("basic/a", "grad_bias", "REJECTED", message="raised TypeError on a legal problem: no bias")
    assert titles(report_of(*gradients, other)) == [
        (text.format(0), 2), ("grad_bias: raised TypeError on a legal problem: no bias", 1)
    ]  # fmt: skip


def test_what_fails_on_every_case_is_one_kind(report_of, failure):
    outcomes = [replace(failure(f"basic/{flag}"), flags=(flag,)) for flag in ("Basic", "Grouped", "Dilated")]
    assert titles(report_of(*outcomes)) == [("forward: wrong on every case", 3)]


def test_the_flag_whose_cases_all_fail_is_told_rather_than_one_that_they_share_with_right_results(
    report_of, failure, outcome
):
    wrong = [replace(failure(f"basic/{i}"), flags=("Basic", "Dilated")) for i in range(3)]
    right = [outcome(f"basic/right{i}", flags=("Basic",)) for i in range(9)]
    (kind,) = kinds_of(report_of(*wrong, *right))
    assert (kind.title, kind.flag) == ("forward: wrong on every Dilated case", "Dilated")


def test_side_checks_go_by_what_was_done(report_of, failure, outcome):
    text = "the result is right, but not with Fortran-ordered inputs: 3 of 9 elements are wrong"
    side = replace(failure("basic/a"), message=text)
    assert titles(report_of(side, failure("basic/b"), outcome())) == [
        ("forward: the result is right, but not with Fortran-ordered inputs: 3 of 9 elements are wrong", 1),
        ("forward: wrong on some Grouped cases", 1),
    ]  # fmt: skip


def test_the_smallest_problem_of_a_kind_comes_first(mixed):
    assert [outcome.case_id for outcome in kinds_of(mixed)[0].outcomes] == ["grouped/small", "grouped/large"]


def test_a_problem_that_cannot_be_read_comes_last(report_of, outcome, failure):
    strange = replace(failure("grouped/strange"), descriptor="?")
    (kind,) = kinds_of(report_of(strange, failure("grouped/g2")))
    assert kind.smallest.case_id == "grouped/g2"


def test_wrong_results_come_before_refusals_and_many_failures_before_few(report_of, outcome, failure):
    refused = [outcome(f"basic/{i}", status="REJECTED", message="refused") for i in range(5)]
    many = [replace(failure(f"grouped/{i}"), operation="grad_input") for i in range(3)]
    kinds = kinds_of(report_of(*refused, failure("grouped/b"), *many))
    assert [(kind.smallest.status, len(kind.outcomes)) for kind in kinds] == [("FAIL", 3), ("FAIL", 1), ("REJECTED", 5)]


def test_every_failure_is_of_one_kind(mixed):
    told = [outcome for kind in kinds_of(mixed) for outcome in kind.outcomes]
    assert sorted(map(id, told)) == sorted(map(id, mixed.failures))


def test_each_entry_that_passes_has_a_heading_of_its_own(report_of, outcome):
    entries = [Xfail(f"g{n}/*", "old", "https://example.org/7", where=f"known.toml, entry {n}") for n in (1, 2)]
    report = expect(report_of(*(outcome(f"g{n}/{name}") for n in (1, 2) for name in "ab")), entries)
    found = {kind.outcomes[0].xfail.where: [o.case_id for o in kind.outcomes] for kind in kinds_of(report)}
    assert found == {"known.toml, entry 1": ["g1/a", "g1/b"], "known.toml, entry 2": ["g2/a", "g2/b"]}
    assert all("--write-xfails FILE --force" in kind.smallest.message for kind in kinds_of(report))
