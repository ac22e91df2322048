"""Promotion through the gates, the way back, and the record of both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import to_builtins

from nbprod import tracking
from nbprod import versions as store
from nbprod.api.gates import Case, blocking, judged
from nbprod.api.packages import Target, package_of
from nbprod.api.progress import OnProgress, Progress, silent
from nbprod.api.registry import Mirrored, mirrored
from nbprod.api.versioning import as_json
from nbprod.errors import NbprodError
from nbprod.model.promotion import Action, Gate, Promotion
from nbprod.model.run import Version


def promote(
    name: str,
    reference: str | None = None,
    *,
    alias: str = store.CHAMPION,
    force: bool = False,
    why: str | None = None,
    output: str | None = None,
    on_progress: OnProgress = silent,
) -> dict[str, Any]:
    """Judge a version by the gates, and let `alias` stand for it where they pass (schemas/promotion.json).

    With `force` it is promoted in spite of gates that fail, for which a `why` must be given. `promoted` in the report
    says what came of it. Raises NbprodError for a version that was never fitted, and `why-missing`.
    """
    return promoted(package_of(name, output=output), reference, alias=alias, force=force, why=why, tell=on_progress)


def promoted(
    target: Target,
    reference: int | str | None = None,
    *,
    alias: str = store.CHAMPION,
    force: bool = False,
    why: str | None = None,
    tell: OnProgress = silent,
) -> dict[str, Any]:
    """`promote` for a package that is known."""
    if force and not (why or "").strip():
        raise NbprodError(
            "a promotion against the gates needs a reason",
            code="why-missing",
            hint="say it with --why: it is recorded with your name",
        )
    store.check_alias(alias)
    version = store.fitted_only(target.name, store.resolve(target.root, target.name, reference))
    before = replaced_by(target, alias)
    if before is not None and before.number == version.number:
        return _report(target, version, alias, before, (), mirrored(target), promoted=False)
    gates = () if alias == store.CHALLENGER else gated(target, version, before, tell)
    stopped = bool(blocking(gates))
    action: Action = "refuse" if stopped and not force else "promote"
    promotion = _recorded(target, action, alias, version, before, gates, why=why, forced=stopped and force)
    if action == "refuse":
        store.refuse(target.root, target.name, promotion)
        return _report(target, version, alias, before, gates, None, promoted=False, promotion=promotion)
    version = store.promote(target.root, target.name, version.number, alias, promotion=promotion)
    return _report(target, version, alias, before, gates, mirrored(target), promoted=True, promotion=promotion)


def replaced_by(target: Target, alias: str) -> Version | None:
    """The version that `alias` stands for now."""
    number = store.aliases(target.root, target.name).get(alias)
    return None if number is None else store.resolve(target.root, target.name, number)


def gated(target: Target, version: Version, before: Version | None, tell: OnProgress) -> tuple[Gate, ...]:
    """What the gates find of a version that is to stand where `before` stands."""
    return judged(Case(target, version, before, lambda text: tell(Progress(target.name, "gates", text))))


def stopped(report: Mapping[str, Any]) -> NbprodError | None:
    """The gates of a report of `promote` that stopped it, as an error with each reason; None where none did."""
    if report["promoted"]:
        return None
    reasons = [f"{gate['name']}: {gate['reason']}" for gate in report["gates"] if gate["blocks"]]
    if not reasons:
        return None
    number, name = report["versions"][0]["number"], report["name"]
    hints = [gate["hint"] for gate in report["gates"] if gate["blocks"] and gate["hint"]]
    force = f"nbprod versions {name} promote {number} --force --why REASON"
    return NbprodError(
        f"version {number} of {name} is not promoted. {'. '.join(reasons)}",
        code="gates-failed",
        hint="; ".join([*dict.fromkeys(hints), f"against the gates, with a reason that is recorded: {force}"]),
    )


def rollback(
    name: str, *, alias: str = store.CHAMPION, why: str | None = None, output: str | None = None
) -> dict[str, Any]:
    """Let `alias` stand again for what it stood for before; no gate is asked."""
    return rolled_back(package_of(name, output=output), alias=alias, why=why)


def rolled_back(target: Target, *, alias: str = store.CHAMPION, why: str | None = None) -> dict[str, Any]:
    """`rollback` for a package that is known."""
    before = store.resolve(target.root, target.name, alias)
    promotion = _recorded(target, "rollback", alias, before, before, (), why=why, forced=False)
    version = store.rollback(target.root, target.name, alias, promotion=promotion)
    return _report(target, version, alias, before, (), mirrored(target), promoted=True, promotion=promotion)


def history(name: str, *, output: str | None = None) -> dict[str, Any]:
    """What was promoted, refused and rolled back, oldest first (schemas/history.json)."""
    target = package_of(name, output=output)
    found = store.promotions(target.root, name)
    return {
        "name": name,
        "package": (target.root / name).as_posix(),
        "promotions": [to_builtins(each) for each in found],
    }


def _recorded(
    target: Target,
    action: Action,
    alias: str,
    version: Version,
    before: Version | None,
    gates: tuple[Gate, ...],
    *,
    why: str | None,
    forced: bool,
) -> Promotion:
    return Promotion(
        action=action,
        alias=alias,
        version=version.number,
        before=None if before is None else before.number,
        when=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        who=store.person(target.root),
        why=tracking.redact_text(why.strip()) if why else None,
        forced=forced,
        gates=gates,
    )


def _report(
    target: Target,
    version: Version,
    alias: str,
    before: Version | None,
    gates: tuple[Gate, ...],
    registry: Mirrored | None,
    *,
    promoted: bool,
    promotion: Promotion | None = None,
) -> dict[str, Any]:
    return {
        "name": target.name,
        "package": (target.root / target.name).as_posix(),
        "versions": [as_json(version)],
        "alias": alias,
        "before": None if before is None else before.number,
        "promoted": promoted,
        "forced": promotion is not None and promotion.forced,
        "who": promotion.who if promotion is not None else None,
        "why": promotion.why if promotion is not None else None,
        "gates": [to_builtins(gate) for gate in gates],
        "registry": to_builtins(registry) if registry is not None else None,
    }
