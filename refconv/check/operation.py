"""One operation of one case: called, judged, and, where it was right, put to the side checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from refconv.check.case_judge import CaseJudge, Finding
from refconv.check.many_images import many_images
from refconv.check.outcomes import Outcome
from refconv.check.policies import Accepted, best_match
from refconv.check.side_checks import SideCheck, repeated, side_checks
from refconv.formats import name_of, natural_output
from refconv.implementations import PLAIN, RESULT_NAMES, Answer, Call, Demand, Session, answers_of, same_bytes
from refconv.suite import REFUSED, Case, Expected

PASSED = ("PASS", "SUSPICIOUS")
OVERWRITTEN = "the result is right, but the next call changed it: it must not lie in a buffer that is used again"


@dataclass(frozen=True)
class Asked:
    """An operation of a case that an implementation was asked for.

    Attributes
    ----------
    case : Case
    accepted : Accepted
    call : Call
    answers : iterator of Answer
        That to the call, then those to the side checks.
    sides : list of SideCheck
        To which a right result is put.
    many : list of SideCheck
        Those that are asked for one by one, after the others: nothing else must be asked for before.
    """

    case: Case
    accepted: Accepted
    call: Call
    answers: Iterator[Answer]
    sides: Sequence[SideCheck] = ()
    many: Sequence[SideCheck] = ()


@dataclass(frozen=True)
class Checker:
    """What stays the same during a run.

    Attributes
    ----------
    session : Session
    judge : CaseJudge
    thorough : bool
        Whether right results are put to the side checks.
    """

    session: Session
    judge: CaseJudge
    thorough: bool = True

    def check(self, case: Case, operation: str, accepted: Accepted) -> Outcome:
        """Run one operation of a case and say what came of it."""
        return self.judged(self.ask(case, operation, accepted))

    def ask(self, case: Case, operation: str, accepted: Accepted) -> Asked:
        """Ask for one operation, and for all that is wanted should it be right; wait for nothing."""
        truth = next(iter(accepted.values()))
        call = Call(case.id, operation, case.inputs, case.problem, demand(case, truth))
        if case.result == "invalid" and not self.session.checks_arguments:
            unasked = Answer("UNSUPPORTED", message="it does not say that it checks its arguments")
            return Asked(case, accepted, call, iter([unasked]))
        further = self.thorough and self.session.repeats
        sides = side_checks(call, case, self.session.arranges) if further else []
        many = many_images(call, case, truth) if further else []
        answers = answers_of(self.session, [call, *(side.call for side in sides)])
        return Asked(case, accepted, call, answers, sides, many)

    def judged(self, asked: Asked) -> Outcome:
        """Say what came of an operation that was asked for."""
        case, operation, accepted = asked.case, asked.call.operation, asked.accepted
        answer = next(asked.answers)
        policy, finding = self._judged(answer, case, operation, accepted)
        if finding.status in PASSED and answer.status == "RETURNED":
            finding = self._beside(asked, answer, finding, accepted[policy])
        return Outcome(
            case.id, operation, finding.status, case.flags, case.comment, case.problem.descriptor,
            name_of(next(iter(case.inputs.values())).dtype), self.judge.rule(case, accepted[policy]), finding.message,
            finding.verdict, answer.seconds, finding.statistics, policy, digest=finding.digest,
        )  # fmt: skip

    def _judged(self, answer: Answer, case: Case, operation: str, accepted: Accepted) -> tuple[str, Finding]:
        policy = next(iter(accepted))
        if answer.status == "RETURNED":
            assert answer.result is not None
            found = {
                name: self.judge.find(answer.result, case, operation, truth, list(answer.changed))
                for name, truth in accepted.items()
            }
            return best_match(found)
        if answer.status == "REJECTED" and REFUSED in accepted:
            return REFUSED, Finding("PASS", f"follows the policy {REFUSED}")
        if answer.refused and case.result == "invalid":
            return policy, Finding("PASS", "refused" if answer.status == "REJECTED" else answer.message)
        return policy, Finding(answer.status, answer.message)

    def _beside(self, asked: Asked, first: Answer, finding: Finding, truth: Expected | None) -> Finding:
        """Return the finding of the first call, or what one of the side checks found."""
        overwritten = False
        for side, answer in self._further(asked):
            overwritten = overwritten or (side.first and answer.overwrote)
            worse = self._side(side, answer, first, asked.case, truth)
            if worse is not None:
                return self._once_more(asked.call, first, asked.case, truth) or worse
        return replace(finding, status="FAIL", message=OVERWRITTEN) if overwritten else finding

    def _further(self, asked: Asked) -> Iterator[tuple[SideCheck, Answer]]:
        """Yield the side checks with their answers: most are made before the first of them is judged."""
        yield from list(zip(asked.sides, asked.answers, strict=False))
        for side in asked.many:
            answer = self.session.call(side.call)
            yield side, answer
            if answer.seconds > side.limit:
                return

    def _once_more(self, call: Call, first: Answer, case: Case, truth: Expected | None) -> Finding | None:
        """Tell whether it is the second call as such that goes wrong: twice, since what adds up may cancel once."""
        again = (self._side(repeated(call), self.session.call(call), first, case, truth) for _ in range(2))
        return next(filter(None, again), None)

    def _side(
        self, side: SideCheck, answer: Answer, first: Answer, case: Case, truth: Expected | None
    ) -> Finding | None:
        """Say what is wrong with a further answer, if anything is."""
        if answer.status == "UNSUPPORTED":
            return None
        if answer.status != "RETURNED":
            return Finding(answer.status, f"the result is right, but with {side.words} it {answer.message}")
        assert answer.result is not None
        assert first.result is not None
        same_kind, due = answer.result.dtype == first.result.dtype, side.shape(first.result)
        if answer.result.shape != due:
            said = f"{RESULT_NAMES[side.call.operation]} must have shape {due}, got {answer.result.shape}"
            return Finding("FAIL", f"the result is right, but not with {side.words}: {said}")
        undone = side.undo(answer.result) if same_kind else answer.result
        if same_bytes(undone, first.result) and not answer.changed:
            return None
        found = self.judge.find(undone, case, side.call.operation, truth, list(answer.changed))
        if found.status in PASSED:
            return None
        return replace(found, message=f"the result is right, but not with {side.words}: {found.message}", digest="")


def demand(case: Case, expected: Expected | None) -> Demand:
    """Say what nobody would do of himself: another format than the natural one, a stated overflow mode."""
    if case.quantization is not None:
        return Demand(quantization=case.quantization)
    if expected is None:
        return PLAIN
    natural = natural_output(next(iter(case.inputs.values())).dtype)
    out, overflow = name_of(expected.tensor.dtype), expected.judge.overflow
    usual = "infinity" if natural.has_infinity else None
    return Demand(out if out != natural.name else None, overflow if overflow != usual else None)


def covered(case: Case, operations: tuple[str, ...], accepted: Mapping[str, Accepted]) -> list[str]:
    """List the operations of a case that are asked for and have a golden value."""
    return [name for name in operations if RESULT_NAMES[name] in accepted]
