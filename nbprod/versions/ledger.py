"""The ledger `versions.json`: which versions a package has, what each is, and what its aliases stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from nbprod.errors import NbprodError, Where
from nbprod.model.run import Version
from nbprod.versions.names import check_name
from nbprod.versions.unchanged import Unchanged

LEDGER = "versions.json"
SCHEMA = 1


class Entry(Struct, frozen=True):
    """A version in the ledger; `manifest` is the sha256 of its manifest.json, which holds those of the others."""

    number: int
    digest: str
    when: str
    notebook: str
    commit: str | None
    why: str
    manifest: str | None = None
    state: str | None = None
    run: str | None = None

    @property
    def folder(self) -> str:
        return folder_name(self.number)


class Ledger(Struct, frozen=True):
    """What versions.json holds; `history` keeps what each alias stood for before, the newest last."""

    name: str
    entries: tuple[Entry, ...] = ()
    aliases: dict[str, int] = field(default_factory=dict)
    history: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def entry(self, number: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.number == number), None)

    def with_entry(self, entry: Entry) -> Ledger:
        others = [other for other in self.entries if other.number != entry.number]
        return replace(self, entries=tuple(sorted([*others, entry], key=lambda each: each.number)))

    def without(self, numbers: Iterable[int]) -> Ledger:
        gone = set(numbers)
        return replace(
            self,
            entries=tuple(entry for entry in self.entries if entry.number not in gone),
            history={
                alias: tuple(number for number in past if number not in gone) for alias, past in self.history.items()
            },
        )

    def version(self, entry: Entry) -> Version:
        return Version(
            number=entry.number,
            digest=entry.digest,
            when=entry.when,
            notebook=entry.notebook,
            commit=entry.commit,
            why=entry.why,
            state=entry.state,
            run=entry.run,
            aliases=tuple(sorted(alias for alias, number in self.aliases.items() if number == entry.number)),
        )


def folder_name(number: int) -> str:
    """The folder of version `number`, such as `v0003`."""
    return f"v{number:04d}"


def package_folder(root: Path, name: str) -> Path:
    """`root/name`, not followed through a link; raises NbprodError for a bad name or a link that stands there."""
    folder = Path(root) / check_name(name)
    if folder.is_symlink():
        raise NbprodError(
            f"{folder} is a link, and versions are not written through links",
            code="symlink",
            where=Where(path=str(folder)),
            hint=f"give the folder that it points to with -o ({folder.resolve().parent}), or remove the link",
        )
    return folder


def read_ledger(folder: Path) -> Ledger | None:
    """The ledger of a package's folder, None where there is none; raises NbprodError for a damaged one."""
    path = folder / LEDGER
    if path.is_symlink():
        raise _damaged(path, "it is a link", "put the real file in its place")
    try:
        return _ledgers(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _read(path: Path) -> Ledger:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _damaged(path, "it is no UTF-8 text", _RESTORE) from error
    if "<<<<<<<" in text and ">>>>>>>" in text:
        raise _damaged(path, "it holds a merge conflict", "keep the versions of both sides, each number once")
    try:
        return _ledger(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, str(error) or type(error).__name__, _RESTORE) from error


_ledgers = Unchanged(_read)


def ledger_bytes(ledger: Ledger) -> bytes:
    """The text of versions.json: sorted keys, so that a change is a small diff."""
    value = {
        "schema": SCHEMA,
        "name": ledger.name,
        "history": {alias: list(past) for alias, past in ledger.history.items() if past},
        "versions": [
            {name: getattr(entry, name) for name in Entry.__struct_fields__}
            | {"aliases": list(ledger.version(entry).aliases)}
            for entry in sorted(ledger.entries, key=lambda each: each.number)
        ],
    }
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def ledger(root: Path, name: str) -> tuple[Version, ...]:
    """All versions of the package `name` below `root`, oldest first; none where it was never exported."""
    found = read_ledger(package_folder(root, name))
    return tuple(found.version(entry) for entry in found.entries) if found else ()


def latest(root: Path, name: str) -> Version | None:
    """The newest version, fitted or not."""
    versions = ledger(root, name)
    return versions[-1] if versions else None


def latest_fitted(root: Path, name: str) -> Version | None:
    """The newest version that has learned state: what `load()` gives."""
    return next((version for version in reversed(ledger(root, name)) if version.state is not None), None)


def version_folder(root: Path, name: str, number: int) -> Path:
    """The folder of a listed version; raises NbprodError where the ledger has no such version."""
    resolve(root, name, number)
    return package_folder(root, name) / folder_name(number)


def resolve(root: Path, name: str, reference: int | str | None = None) -> Version:
    """The version meant by a number, `v0003`, `3`, `latest` or an alias; None means the newest fitted, else newest.

    Raises NbprodError that lists what there is.
    """
    versions = ledger(root, name)
    if not versions:
        raise NbprodError(
            f'no package "{name}" in {root}',
            code="no-package",
            where=Where(path=str(Path(root) / name)),
            hint="export it first: nbprod export NOTEBOOK",
        )
    if reference is None:
        return latest_fitted(root, name) or versions[-1]
    text = str(reference)
    if text == "latest":
        return versions[-1]
    match = re.fullmatch(r"v?0*(\d+)", text)
    for version in versions:
        if text in version.aliases or (match and version.number == int(match[1])):
            return version
    known = [str(version.number) for version in versions] + sorted({a for v in versions for a in v.aliases})
    raise NbprodError(
        f'{name} has no version "{text}"', code="no-version", hint=f"there are {', '.join(known)} and latest"
    )


_RESTORE = "restore it from version control (git checkout -- versions.json), or move the folder away and export anew"


def _damaged(path: Path, reason: str, hint: str) -> NbprodError:
    return NbprodError(
        f"the ledger is damaged: {reason}", code="damaged-ledger", where=Where(path=str(path)), hint=hint
    )


def _ledger(value: Any) -> Ledger:
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    if value.get("schema") != SCHEMA:
        raise ValueError(f"its schema is {value.get('schema')!r}, and this nbprod writes {SCHEMA}")
    entries = tuple(sorted((_entry(each) for each in value["versions"]), key=lambda entry: entry.number))
    numbers = [entry.number for entry in entries]
    if len(set(numbers)) != len(numbers):
        raise ValueError("it lists a version number twice")
    named = [(_text(alias), each["number"]) for each in value["versions"] for alias in each.get("aliases", ())]
    aliases = dict(named)
    if len(aliases) != len(named):
        raise ValueError("an alias stands for two versions")
    history = {str(alias): tuple(int(each) for each in past) for alias, past in dict(value.get("history", {})).items()}
    return Ledger(name=str(value["name"]), entries=entries, aliases=aliases, history=history)


def _entry(value: dict[str, Any]) -> Entry:
    number = value["number"]
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"{number!r} is no version number")
    return Entry(
        number=number,
        digest=_text(value["digest"]),
        when=_text(value["when"]),
        notebook=_text(value["notebook"]),
        commit=_optional(value.get("commit")),
        why=_text(value["why"]),
        manifest=_optional(value.get("manifest")),
        state=_optional(value.get("state")),
        run=_optional(value.get("run")),
    )


def _optional(value: Any) -> str | None:
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} should be a text")
    return value
