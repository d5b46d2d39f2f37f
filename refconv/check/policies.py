"""Choices: which of several right results is asserted, by the policies that an implementation claims."""

from __future__ import annotations

from collections.abc import Iterable

from refconv.errors import CatalogueError
from refconv.judge import Verdict
from refconv.suite import POLICIES, Case, Expected

Accepted = dict[str, Expected]
Judged = tuple[str, str, Verdict | None]  # status, message, numbers


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
    found: dict[str, Accepted] = {name: {"": expected} for name, expected in case.expected.items()}
    for policy in claimed or case.alternatives:
        for name, expected in case.alternatives[policy].items():
            found.setdefault(name, {})[policy] = expected
    return found


def best_match(judged: dict[str, Judged]) -> tuple[str, Judged]:
    """Take the first policy that a result matches; if it matches none, tell how it misses the first.

    Returns
    -------
    (str, (status, message, verdict))
        The policy is the empty string for what is no choice.
    """
    for policy, (status, _, verdict) in judged.items():
        if status == "PASS":
            return policy, (status, f"follows the policy {policy}" if policy else "", verdict)
    policy, (status, message, verdict) = next(iter(judged.items()))
    if policy:
        missed = f"the claimed policy {policy}" if len(judged) == 1 else f"any of the policies {', '.join(judged)}"
        message = f"does not match {missed}: {message}"
    return policy, (status, message, verdict)
