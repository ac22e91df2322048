"""The aliases of the ledger in MLflow's registry, which follows; and the new version that challenges the champion."""

from __future__ import annotations

from msgspec import Struct

from nbprod import tracking, versions
from nbprod.api.packages import Target
from nbprod.api.tracked import check_reachable, store_of
from nbprod.errors import NbprodError
from nbprod.model.run import Version
from nbprod.tracking.record import RegisteredVersion

OWN = (versions.CHAMPION, versions.CHALLENGER)


class Mirrored(Struct, frozen=True):
    """Whether the registry says of the aliases what the ledger says, and if not, why."""

    agrees: bool
    reason: str | None = None


def challenged(target: Target, version: Version) -> Version:
    """Let `challenger` stand for a version that was just registered, in the ledger and the registry."""
    listed = versions.challenge(target.root, target.name, version.number)
    mirrored(target)
    return listed


def mirrored(target: Target) -> Mirrored:
    """Let each alias of the ledger stand for the same version in MLflow's registry.

    The ledger is the truth: what can't be told to the store is told to the caller, and made good the next time. An
    alias whose version is not registered stands for nothing there; aliases that people made in MLflow alone are theirs.
    """
    uri = store_of(target)
    try:
        check_reachable(uri)
        return _mirrored(target, uri)
    except NbprodError as error:
        return Mirrored(False, error.message)


def _mirrored(target: Target, uri: str) -> Mirrored:
    known = tracking.registered(target.name, uri=uri)
    if not known:
        return Mirrored(False, f"no version of {target.name} is registered in MLflow")
    wanted = versions.aliases(target.root, target.name)
    listed = {each.number: each for each in versions.ledger(target.root, target.name)}
    there = {alias: each.number for each in known for alias in each.aliases}
    missing = []
    for alias, number in sorted(wanted.items()):
        twin = _twin(known, listed[number])
        if twin is not None and there.get(alias) != twin.number:
            tracking.set_alias(target.name, alias, twin.number, uri=uri)
        if twin is None:
            missing.append(f"version {number} ({alias}) is not registered in MLflow")
    registered = {alias for alias, number in wanted.items() if _twin(known, listed[number]) is not None}
    for alias in sorted(there.keys() & {*OWN, *wanted} - registered):
        tracking.remove_alias(target.name, alias, uri=uri)
    return Mirrored(not missing, "; ".join(missing) or None)


def _twin(known: tuple[RegisteredVersion, ...], version: Version) -> RegisteredVersion | None:
    """MLflow's version of a version of the ledger: that of its run, else the newest that names its number."""
    named = [each for each in known if each.version == version.number]
    return next((each for each in named if each.run_id == version.run), named[-1] if named else None)
