"""Choices: several right results, and the claim that makes one of them the only one."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from refconv import CatalogueError, load_suite
from refconv.check import check
from refconv.cli import commands
from refconv.generate import generate
from refconv.implementations import load_implementation
from refconv.reference import im2col
from refconv.report import write_report

CHOICE = "choice-padding-float32-exact/padding-nan-weight"
SELECT = ("choice-padding-float32-exact/*", "choice-no-channels-*", "non-finite-float32-exact/weight")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("suite") / "core"
    generate(out, "core", SELECT)
    return out


@pytest.fixture(scope="module")
def suite(folder):
    return load_suite(folder)


def run(name, suite, policies=(), select=("choice-padding-*",)):
    return check(load_implementation(name), suite, select, policies=policies)


@pytest.mark.parametrize(
    ("name", "policy"),
    [("direct", "padding-is-absent"), ("sparse", "padding-is-absent"), ("im2col", "padding-is-zero")],
)
def test_without_a_claim_the_policy_is_reported_and_passes(name, policy, suite):
    report = run(name, suite)
    assert report.passed
    assert report.policies() == {policy: 3}
    assert {outcome.message for outcome in report.outcomes} == {f"follows the policy {policy}"}


def test_a_right_claim_passes(suite):
    assert run("direct", suite, ["padding-is-absent"]).policies() == {"padding-is-absent": 3}


@pytest.mark.parametrize(("name", "claim"), [("direct", "padding-is-zero"), ("im2col", "padding-is-absent")])
def test_a_wrong_claim_fails(name, claim, suite):
    report = run(name, suite, [claim])
    assert [outcome.status for outcome in report.outcomes] == ["FAIL"] * 3
    assert all(outcome.policy == claim for outcome in report.outcomes)
    assert report.failures[0].message.startswith(f"does not match the claimed policy {claim}: ")
    assert report.policies() == {}


class Nonsense:
    name = "nonsense"

    def forward(self, x, weight, bias, problem):
        return np.zeros(problem.y_shape, x.dtype)


def test_a_result_that_matches_no_policy_fails(suite):
    report = check(Nonsense(), suite, [CHOICE])
    assert [outcome.status for outcome in report.outcomes] == ["FAIL"]
    assert "does not match any of the policies padding-is-absent, padding-is-zero: " in report.failures[0].message


def test_a_policy_does_not_touch_what_is_valid(suite):
    report = run("im2col", suite, ["padding-is-absent"], ["non-finite-*"])
    assert report.passed
    assert report.policies() == {}
    assert {(outcome.policy, outcome.message) for outcome in report.outcomes} == {("", "")}


def test_an_alternative_may_have_another_shape(suite):
    [outcome] = run("direct", suite, select=["choice-no-channels-*"]).outcomes
    assert outcome.policy == "no-input-channels-give-bias"

    class Torchlike(Nonsense):
        def forward(self, x, weight, bias, problem):
            return np.zeros(replace(problem, out_channels=0).y_shape, x.dtype)

    [outcome] = check(Torchlike(), suite, ["choice-no-channels-*"]).outcomes
    assert (outcome.status, outcome.policy) == ("PASS", "no-input-channels-give-nothing")


def test_an_unknown_policy_is_one_sentence_with_the_list(suite):
    with pytest.raises(CatalogueError, match=r"a policy must be one of padding-is-absent, .*, got 'padding-is-odd'"):
        run("direct", suite, ["padding-is-odd"])


def test_contradicting_claims_are_refused(suite):
    with pytest.raises(CatalogueError, match="claim one of padding-is-absent, padding-is-zero"):
        run("direct", suite, ["padding-is-zero", "padding-is-absent"])


@pytest.mark.parametrize("suffix", ["json", "xml", "html", "md"])
@pytest.mark.parametrize("claims", [(), ("padding-is-absent",)])
def test_every_form_of_report_tells_a_choice(suffix, claims, suite, tmp_path):
    path = tmp_path / f"report.{suffix}"
    write_report(run("im2col", suite, claims), path)
    assert path.stat().st_size
    if suffix == "json":
        policies = {outcome["policy"] for outcome in json.loads(path.read_text())["outcomes"]}
        assert policies == {claims[0] if claims else "padding-is-zero"}


@pytest.mark.parametrize(("claims", "code"), [((), 0), (("padding-is-zero",), 0), (("padding-is-absent",), 1)])
def test_the_command_line_takes_claims(claims, code, folder):
    options = [word for claim in claims for word in ("--policy", claim)]
    arguments = ["check", "im2col", "--vectors", str(folder), "--select", "choice-padding-*", *options]
    done = CliRunner().invoke(commands, arguments, standalone_mode=False)
    assert done.return_value == code
    assert ("padding-is-zero (3)" in done.output) == (code == 0)
    assert ("--policy padding-is-absent" in done.output) == (code == 1)


def test_a_choice_is_shown_with_its_policies(folder):
    done = CliRunner().invoke(commands, ["show", CHOICE, "--vectors", str(folder)], standalone_mode=False)
    assert "expected y under padding-is-zero (exact)" in done.output


class Refusing:
    name = "refusing"

    def forward(self, x, weight, bias, problem):
        raise ValueError("the kernel does not fit")


OVERSIZED = "choice-oversized-kernel-float32-exact/kernel-above-input"


@pytest.mark.parametrize(
    ("layer", "policies", "status", "word"),
    [
        (Refusing(), [], "PASS", "follows the policy oversized-kernel-is-refused"),
        (Refusing(), ["oversized-kernel-is-refused"], "PASS", "follows the policy oversized-kernel-is-refused"),
        (Refusing(), ["oversized-kernel-is-empty"], "REJECTED", "raised ValueError at test_policies.py:"),
        (im2col, [], "PASS", "follows the policy oversized-kernel-is-empty"),
        (im2col, ["oversized-kernel-is-empty"], "PASS", "follows the policy oversized-kernel-is-empty"),
        (im2col, ["oversized-kernel-is-refused"], "FAIL", "must be refused by an error, got a result"),
    ],
)
def test_an_oversized_kernel_may_be_refused_or_give_nothing(tmp_path_factory, layer, policies, status, word):
    folder = tmp_path_factory.mktemp("oversized") / "suite"
    generate(folder, "core", [OVERSIZED])
    (outcome,) = check(layer, load_suite(folder), policies=policies).outcomes
    assert outcome.status == status
    assert word in outcome.message
    assert outcome.rule == ("refusal" if outcome.policy == "oversized-kernel-is-refused" else "exact")


def test_a_refusal_of_anything_else_is_still_a_failure(tmp_path):
    generate(tmp_path / "suite", "core", ["worked-example-*"])
    assert check(Refusing(), load_suite(tmp_path / "suite"), operations=["forward"]).outcomes[0].status == "REJECTED"
