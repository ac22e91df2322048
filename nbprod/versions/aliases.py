"""What an alias such as `production` stands for: promotion, and the way back."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec.structs import replace

from nbprod.errors import NbprodError
from nbprod.model.run import Version
from nbprod.versions.ledger import Ledger, package_folder, read_ledger, resolve
from nbprod.versions.store import opened, save_ledger

PRODUCTION = "production"
KEPT = 20


def aliases(root: Path, name: str) -> dict[str, int]:
    """What each alias of the package stands for."""
    found = read_ledger(package_folder(root, name))
    return dict(found.aliases) if found else {}


def promote(root: Path, name: str, reference: int | str | None = None, alias: str = PRODUCTION) -> Version:
    """Let `alias` stand for a version (the newest fitted by default), and keep what it stood for before.

    Raises NbprodError for a version that was never fitted, which could predict nothing.
    """
    _check_alias(alias)
    version = resolve(root, name, reference)
    if version.state is None:
        raise NbprodError(
            f"version {version.number} of {name} was never fitted",
            code="not-fitted",
            hint="run its notebook first: nbprod run NOTEBOOK",
        )
    with opened(root, name) as (folder, ledger):
        if ledger.entry(version.number) is None:
            raise NbprodError(f"version {version.number} of {name} was removed meanwhile", code="no-version")
        new = _pointed(ledger, alias, version.number)
        if new != ledger:
            save_ledger(folder, new)
    return resolve(root, name, version.number)


def rollback(root: Path, name: str, alias: str = PRODUCTION) -> Version:
    """Let `alias` stand again for what it stood for before; raises NbprodError where there was nothing before."""
    resolve(root, name, alias)
    with opened(root, name) as (folder, ledger):
        past = ledger.history.get(alias, ())
        if not past:
            raise NbprodError(
                f'"{alias}" of {name} stood for no other version before',
                code="nothing-to-roll-back",
                hint=f"promote the version that it should stand for: nbprod versions {name} promote NUMBER",
            )
        save_ledger(
            folder,
            replace(
                ledger,
                aliases=ledger.aliases | {alias: past[-1]},
                history=ledger.history | {alias: past[:-1]},
            ),
        )
    return resolve(root, name, past[-1])


def previous(root: Path, name: str, alias: str = PRODUCTION) -> int | None:
    """The version that `rollback` would give, None where there is none."""
    found = read_ledger(package_folder(root, name))
    past = found.history.get(alias, ()) if found else ()
    return past[-1] if past else None


def remove_alias(root: Path, name: str, alias: str) -> None:
    """Forget `alias`; nothing happens where there is none."""
    with opened(root, name) as (folder, ledger):
        if alias in ledger.aliases:
            rest = {each: number for each, number in ledger.aliases.items() if each != alias}
            past = {each: numbers for each, numbers in ledger.history.items() if each != alias}
            save_ledger(folder, replace(ledger, aliases=rest, history=past))


def _pointed(ledger: Ledger, alias: str, number: int) -> Ledger:
    before = ledger.aliases.get(alias)
    if before == number:
        return ledger
    past = ledger.history.get(alias, ())
    if before is not None:
        past = (*past, before)[-KEPT:]
    return replace(ledger, aliases=ledger.aliases | {alias: number}, history=ledger.history | {alias: past})


def _check_alias(alias: str) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", alias) or alias == "latest" or re.fullmatch(r"v\d+", alias):
        raise NbprodError(
            f'"{alias}" cannot be an alias',
            code="bad-alias",
            hint="use letters, digits, _ and -, such as production; latest and v1 mean versions already",
        )
