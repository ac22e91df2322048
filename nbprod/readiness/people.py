"""Who is known to version control, and who owns a path by CODEOWNERS."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from nbprod.readiness.facts import People


def is_known(owner: str, people: People) -> bool:
    """Whether an owner is an author of late, or named in CODEOWNERS, by name, address or handle."""
    wanted = owner.strip().lstrip("@").lower()
    named = [each.lower() for each in people.authors]
    named += [each.lstrip("@").lower() for _, owners in people.rules for each in owners]
    return any(
        wanted == each or wanted in each.replace("<", " ").replace(">", " ").split() or each.startswith(f"{wanted} <")
        for each in named
    )


def owners_of(path: str, people: People) -> tuple[str, ...]:
    """The owners of a path by the last rule that matches it, as GitHub takes CODEOWNERS."""
    owners: tuple[str, ...] = ()
    for pattern, named in people.rules:
        if _matches(path.removeprefix("./"), pattern):
            owners = named
    return owners


def _matches(path: str, pattern: str) -> bool:
    """A pattern with a slash before its end stands at the root; a folder's is that of all below, but for `docs/*`."""
    wanted, parts = pattern.strip("/").split("/"), path.split("/")
    is_at_root = pattern.startswith("/") or len(wanted) > 1
    is_whole = wanted[-1] == "*" and pattern != "*"
    return any(_fits(parts[start:], wanted, is_whole) for start in range(1 if is_at_root else len(parts)))


def _fits(parts: Sequence[str], wanted: Sequence[str], is_whole: bool) -> bool:
    if not wanted:
        return not (is_whole and parts)
    if wanted[0] == "**":
        return any(_fits(parts[start:], wanted[1:], is_whole) for start in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], wanted[0]) and _fits(parts[1:], wanted[1:], is_whole)
