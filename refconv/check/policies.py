"""Choices: which of several right results is asserted, by the policies that an implementation claims."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from refconv.check.case_judge import Finding
from refconv.errors import CatalogueError
from refconv.implementations import RESULT_NAMES
from refconv.suite import POLICIES, Case, Expected

Accepted = dict[str, Expected | None]  # by policy; None where an error is what is expected


def known_policies(names: Iterable[str]) -> tuple[str, ...]:
    """Return the claimed policies.

    Raises
    ------
    CatalogueError
        If one is unknown.

    Examples
    --------
    >>> known_policies(["padding-is-absent"])
    ('padding-is-absent',)
    """
    claims = tuple(names)
    for name in claims:
        if name not in POLICIES:
            raise CatalogueError(f"a policy must be one of {', '.join(POLICIES)}, got {name!r}.")
    return claims


def accepted_of(case: Case, claims: tuple[str, ...]) -> dict[str, Accepted]:
    """List, for every result of a case, the goldens that are right, by policy ("" for what is right for all).

    Raises
    ------
    CatalogueError
        If two of the claims contradict each other.
    """
    claimed = [name for name in case.alternatives if name in claims]
    if len(claimed) > 1:
        raise CatalogueError(f"policies contradict each other on {case.id}: claim one of {', '.join(claimed)}.")
    if case.result == "invalid":
        return {RESULT_NAMES[operation]: {"": None} for operation in case.refused}
    found: dict[str, Accepted] = {name: {"": expected} for name, expected in case.expected.items()}
    results = {name for goldens in case.alternatives.values() for name in goldens}
    for policy in claimed or case.alternatives:
        for name in results:
            found.setdefault(name, {})[policy] = case.alternatives[policy].get(name)
    return found


def best_match(judged: dict[str, Finding]) -> tuple[str, Finding]:
    """Take the first policy that a result matches; if it matches none, tell how it misses the first.

    Returns
    -------
    (str, Finding)
        The policy is the empty string for what is no choice.
    """
    for policy, finding in judged.items():
        if finding.status in ("PASS", "SUSPICIOUS"):
            message = f"follows the policy {policy}" if policy else finding.message
            return policy, replace(finding, message=message)
    policy, finding = next(iter(judged.items()))
    if policy:
        missed = f"the claimed policy {policy}" if len(judged) == 1 else f"any of the policies {', '.join(judged)}"
        finding = replace(finding, message=f"does not match {missed}: {finding.message}")
    return policy, finding
