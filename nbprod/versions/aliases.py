"""What an alias such as `champion` stands for: promotion, the way back, and who challenges."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec.structs import replace

from nbprod.errors import NbprodError
from nbprod.model.promotion import Promotion
from nbprod.model.run import Version
from nbprod.versions.ledger import Ledger, package_folder, read_ledger, resolve
from nbprod.versions.promotions import record
from nbprod.versions.store import opened, save_ledger

CHAMPION = "champion"
CHALLENGER = "challenger"
KEPT = 20


def aliases(root: Path, name: str) -> dict[str, int]:
    """What each alias of the package stands for."""
    found = read_ledger(package_folder(root, name))
    return dict(found.aliases) if found else {}


def promote(
    root: Path,
    name: str,
    reference: int | str | None = None,
    alias: str = CHAMPION,
    *,
    promotion: Promotion | None = None,
) -> Version:
    """Let `alias` stand for a version (the newest fitted by default), and keep what it stood for before.

    A challenger that is promoted challenges no more. `promotion` is recorded; its `before` is what the alias must still
    stand for. Raises NbprodError for a version that was never fitted, which could predict nothing, and (`alias-moved`)
    where somebody else moved the alias since the promotion was judged.
    """
    check_alias(alias)
    version = fitted_only(name, resolve(root, name, reference))
    with opened(root, name) as (folder, ledger):
        if ledger.entry(version.number) is None:
            raise NbprodError(f"version {version.number} of {name} was removed meanwhile", code="no-version")
        new = _pointed(ledger, alias, version.number)
        if alias == CHAMPION and new.aliases.get(CHALLENGER) == version.number:
            new = _without(new, CHALLENGER)
        if promotion is not None:
            _check_unmoved(ledger, alias, promotion.before)
            # The record comes first: a kill in between leaves a line too many, never a champion without its gates.
            record(folder, promotion)
        if new != ledger:
            save_ledger(folder, new)
    return resolve(root, name, version.number)


def refuse(root: Path, name: str, promotion: Promotion) -> None:
    """Record a promotion that the gates stopped."""
    with opened(root, name) as (folder, _):
        record(folder, promotion)


def rollback(root: Path, name: str, alias: str = CHAMPION, *, promotion: Promotion | None = None) -> Version:
    """Let `alias` stand again for what it stood for before; raises NbprodError where there was nothing before.

    `promotion` is recorded, with the versions that it is about.
    """
    resolve(root, name, alias)
    with opened(root, name) as (folder, ledger):
        past = ledger.history.get(alias, ())
        if not past:
            raise NbprodError(
                f'"{alias}" of {name} stood for no other version before',
                code="nothing-to-roll-back",
                hint=f"promote the version that it should stand for: nbprod versions {name} promote NUMBER",
            )
        if promotion is not None:
            record(folder, replace(promotion, version=past[-1], before=ledger.aliases.get(alias)))
        save_ledger(
            folder,
            replace(
                ledger,
                aliases=ledger.aliases | {alias: past[-1]},
                history=ledger.history | {alias: past[:-1]},
            ),
        )
    return resolve(root, name, past[-1])


def challenge(root: Path, name: str, number: int) -> Version:
    """Let `challenger` stand for a version, unless it is the champion: then nothing challenges."""
    with opened(root, name) as (folder, ledger):
        new = ledger
        if ledger.aliases.get(CHAMPION) == number:
            new = _without(ledger, CHALLENGER)
        elif ledger.entry(number) is not None:
            new = replace(ledger, aliases=ledger.aliases | {CHALLENGER: number})
        if new != ledger:
            save_ledger(folder, new)
    return resolve(root, name, number)


def fitted_only(name: str, version: Version) -> Version:
    """The version itself; raises NbprodError (`not-fitted`) for one that can predict nothing."""
    if version.state is None:
        raise NbprodError(
            f"version {version.number} of {name} was never fitted",
            code="not-fitted",
            hint="run its notebook first: nbprod run NOTEBOOK",
        )
    return version


def previous(root: Path, name: str, alias: str = CHAMPION) -> int | None:
    """The version that `rollback` would give, None where there is none."""
    found = read_ledger(package_folder(root, name))
    past = found.history.get(alias, ()) if found else ()
    return past[-1] if past else None


def remove_alias(root: Path, name: str, alias: str) -> None:
    """Forget `alias`; nothing happens where there is none."""
    with opened(root, name) as (folder, ledger):
        if alias in ledger.aliases:
            save_ledger(folder, _without(ledger, alias))


def _pointed(ledger: Ledger, alias: str, number: int) -> Ledger:
    before = ledger.aliases.get(alias)
    if before == number:
        return ledger
    past = ledger.history.get(alias, ())
    if before is not None:
        past = (*past, before)[-KEPT:]
    return replace(ledger, aliases=ledger.aliases | {alias: number}, history=ledger.history | {alias: past})


def _without(ledger: Ledger, alias: str) -> Ledger:
    rest = {each: number for each, number in ledger.aliases.items() if each != alias}
    past = {each: numbers for each, numbers in ledger.history.items() if each != alias}
    return replace(ledger, aliases=rest, history=past)


def _check_unmoved(ledger: Ledger, alias: str, before: int | None) -> None:
    now = ledger.aliases.get(alias)
    if now != before:
        text = "nothing" if now is None else f"version {now}"
        raise NbprodError(
            f'"{alias}" of {ledger.name} was moved to {text} meanwhile, and the gates judged against another version',
            code="alias-moved",
            hint="promote again: the gates then judge against what it stands for now",
        )


def check_alias(alias: str) -> None:
    """Raise NbprodError (`bad-alias`) for a word that could be mistaken for a version."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", alias) or alias == "latest" or re.fullmatch(r"v\d+", alias):
        raise NbprodError(
            f'"{alias}" cannot be an alias',
            code="bad-alias",
            hint="use letters, digits, _ and -, such as champion; latest and v1 mean versions already",
        )
