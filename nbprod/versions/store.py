"""The store of versions: immutable folders, written whole or not at all, listed in the ledger last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from nbprod.errors import NbprodError, Where
from nbprod.model.run import Version
from nbprod.versions.edits import GOLDEN, MANIFEST, STATE, edited_files, generated_files
from nbprod.versions.files import (
    TEMPORARY,
    explained,
    is_litter,
    relative,
    remove_folder,
    replace_file,
    stage_file,
    stage_folder,
    sync_folder,
    tree,
)
from nbprod.versions.ledger import LEDGER, Entry, Ledger, folder_name, ledger_bytes, package_folder, read_ledger
from nbprod.versions.lock import LOCK, Lock, locked, noted
from nbprod.versions.state import state_digest


def publish(
    root: Path,
    name: str,
    version_files: Mapping[str, bytes],
    root_files: Mapping[str, bytes],
    *,
    digest: str,
    notebook: str,
    commit: str | None,
    why: str,
    now: datetime,
    replace_unfitted: bool = True,
) -> Version:
    """Write `root/name/vNNNN` and list it in the ledger; gives the version as listed.

    `version_files` and `root_files` map relative posix paths to bytes. Where the newest version holds the same
    bytes, nothing is created and that version is given back. Where the newest was never fitted, it is replaced
    (`replace_unfitted`), so that exports before a first fit do not pile up. Two exports at once wait for each
    other; a kill at any moment leaves the ledger and every listed version whole. Raises NbprodError for a bad name,
    a folder that holds something else, no space, no right to write, and a damaged ledger.
    """
    _check_paths(version_files, root_files)
    entry = Entry(
        number=0,
        digest=digest,
        when=_timestamp(now),
        notebook=notebook,
        commit=commit,
        why=why,
        manifest=_sha256(version_files[MANIFEST]) if MANIFEST in version_files else None,
    )
    with _opened(root, name) as (folder, lock, ledger), _undone_if_first(folder, ledger, root_files):
        newest = ledger.entries[-1] if ledger.entries else None
        if newest and generated_files(folder / newest.folder) == dict(version_files):
            _write_root(folder, root_files)
            return ledger.version(newest)
        if newest and replace_unfitted and _is_replaceable(folder, ledger, newest):
            before = ledger.entries[-2] if len(ledger.entries) > 1 else None
            if before and generated_files(folder / before.folder) == dict(version_files):
                # Back to what was fitted: the export in between has no reader, and goes.
                _remove(folder, lock, ledger, [newest.number])
                _write_root(folder, root_files)
                return ledger.version(before)
            entry = replace(entry, number=newest.number)
        else:
            entry = replace(entry, number=_next_number(folder, ledger))
        staged = stage_folder(folder, version_files)
        _write_root(folder, root_files)
        return _install(folder, lock, ledger, entry, staged)


def put_state(
    root: Path,
    name: str,
    number: int,
    state: Path,
    *,
    run_id: str | None,
    now: datetime,
    golden: bytes | None = None,
    why: str = "fitted again on other data",
    code: Mapping[str, bytes] | None = None,
    commit: str | None = None,
) -> Version:
    """Give version `number` the learned state in the folder `state` (copied), with the rows of tests/golden.json.

    A version is fitted once. For one that has other state already, the same code with the new state becomes a new
    version, which is given back: what is deployed never changes under its number. The same state again only notes
    the run. `code` holds the files that were fitted, as `generated_files` gives them, exported at `commit`: where
    another export has taken their number since, they and their state become a new version. Raises as `publish` does.
    """
    files = tree(state)
    if not files:
        raise NbprodError(f"{state} holds no learned state", code="no-state", hint="fit the package first")
    learned = state_digest(state)
    with _opened(root, name) as (folder, lock, ledger):
        there = generated_files(folder / folder_name(number)) if ledger.entry(number) else None
        is_another = code is not None and any((there or {}).get(path) != each for path, each in code.items())
        if code is not None and is_another:
            is_export = there is None or there.get(MANIFEST) != code.get(MANIFEST)
            taken = f"another export took the number {number}" if is_export else f"files of {number} were changed"
            there, entry, why = dict(code), _entry_of(code, commit), f"fitted while {taken}"
        else:
            entry = _listed(ledger, number)
        if entry.state is None and not is_another:
            lock.note(number)
            _fill(folder / entry.folder, files, golden)
            return _relist(folder, ledger, replace(entry, state=learned, run=run_id))
        if twin := _fitted_twin(ledger, entry, learned):
            return _relist(folder, ledger, replace(twin, run=run_id or twin.run))
        content = (there or {}) | {f"{STATE}/{path}": each for path, each in files.items()}
        staged = stage_folder(folder, content if golden is None else content | {GOLDEN: golden})
        again = replace(
            entry, number=_next_number(folder, ledger), when=_timestamp(now), why=why, state=learned, run=run_id
        )
        return _install(folder, lock, ledger, again, staged)


def prune(root: Path, name: str, keep: int = 5, *, dry_run: bool = False) -> tuple[Version, ...]:
    """Remove all but the newest `keep` versions; gives those removed.

    Kept in any case: the newest, those with an alias, and those that an alias would roll back to.
    """
    if keep < 1:
        raise NbprodError("at least one version is kept", code="bad-argument", hint="--keep takes 1 or more")
    with _opened(root, name) as (folder, lock, ledger):
        held = set(ledger.aliases.values()) | {past[-1] for past in ledger.history.values() if past}
        old = [entry for entry in ledger.entries[:-keep] if entry.number not in held]
        if old and not dry_run:
            _remove(folder, lock, ledger, [entry.number for entry in old])
        return tuple(ledger.version(entry) for entry in old)


def hand_edits(root: Path, name: str, number: int) -> tuple[str, ...]:
    """Files of a version that are not as exported: changed, missing, replaced by a link, or added `.py` files.

    Exported means by the sha256 in manifest.json, and by the ledger's for manifest.json itself.
    """
    folder = package_folder(root, name)
    entry = _listed(read_ledger(folder) or Ledger(name), number)
    return edited_files(folder / entry.folder, entry.manifest)


def is_state_recorded(root: Path, name: str, number: int) -> bool:
    """Whether the learned state in a version's folder is the one that the ledger has, or both have none.

    State that its writer has in hand, or had when it was killed, is none yet.
    """
    folder = package_folder(root, name)
    state = folder / folder_name(number) / STATE
    # A writer notes before it fills, and lists before its note goes: looked at the other way round, one is seen.
    is_there, in_hand = state.is_dir(), noted(folder)
    entry = _listed(read_ledger(folder) or Ledger(name), number)
    if entry.state is None:
        return not is_there or number in in_hand
    return state.is_dir() and entry.state == state_digest(state)


@contextmanager
def opened(root: Path, name: str) -> Iterator[tuple[Path, Ledger]]:
    """The package's folder and ledger, held for a change to the ledger alone; see `save_ledger`."""
    with _opened(root, name) as (folder, _, ledger):
        yield folder, ledger


def save_ledger(folder: Path, ledger: Ledger) -> None:
    """Put `ledger` in the place of versions.json in one step."""
    replace_file(folder / LEDGER, ledger_bytes(ledger))


@contextmanager
def _opened(root: Path, name: str) -> Iterator[tuple[Path, Lock, Ledger]]:
    folder = package_folder(root, name)
    with explained(folder):
        _check_is_ours(folder)
        read_ledger(folder)
        try:
            with locked(folder) as lock:
                _check_is_ours(folder)
                ledger = read_ledger(folder) or Ledger(name)
                try:
                    _clean(folder, lock, ledger)
                    if not ledger.entries:
                        # Ours by its ledger before anything else is written: a kill leaves no stranger's folder, and
                        # who looks meanwhile sees none.
                        save_ledger(folder, ledger)
                    yield folder, lock, ledger
                finally:
                    _clean(folder, lock, read_ledger(folder) or Ledger(name))
        finally:
            _remove_if_empty(folder)


@contextmanager
def _undone_if_first(folder: Path, ledger: Ledger, root_files: Mapping[str, bytes]) -> Iterator[None]:
    """Where the first export of a package fails, leave no half of it."""
    try:
        yield
    except OSError:
        if not ledger.entries:
            for name in root_files:
                (folder / relative(name)).unlink(missing_ok=True)
            for below in {(folder / relative(name)).parent for name in root_files} - {folder}:
                with suppress(OSError):  # it was not made, or holds something else
                    below.rmdir()
        raise


def _install(folder: Path, lock: Lock, ledger: Ledger, entry: Entry, staged: Path) -> Version:
    """Move a staged folder to its number; the ledger names it before and after only while it is whole."""
    new = ledger.with_entry(entry)
    place = folder / entry.folder
    listed = stage_file(folder, ledger_bytes(new))
    lock.note(entry.number)
    if ledger.entry(entry.number):
        save_ledger(folder, ledger.without([entry.number]))
        remove_folder(place)
    staged.rename(place)
    sync_folder(folder)
    listed.replace(folder / LEDGER)
    sync_folder(folder)
    return new.version(entry)


def _remove(folder: Path, lock: Lock, ledger: Ledger, numbers: list[int]) -> None:
    lock.note(*numbers)
    save_ledger(folder, ledger.without(numbers))
    for number in numbers:
        remove_folder(folder / folder_name(number))


def _relist(folder: Path, ledger: Ledger, entry: Entry) -> Version:
    new = ledger.with_entry(entry)
    if new != ledger:
        save_ledger(folder, new)
    return new.version(entry)


def _entry_of(code: Mapping[str, bytes], commit: str | None) -> Entry:
    """The entry of code that is not listed, by its manifest."""
    told = json.loads(code[MANIFEST])
    return Entry(0, told["digest"], "", told["notebook"], commit, "", _sha256(code[MANIFEST]))


def _fitted_twin(ledger: Ledger, entry: Entry, learned: str) -> Entry | None:
    """The version that has this state on the same code already, `entry` itself first."""
    if entry.state == learned or entry.manifest is None:
        return entry if entry.state == learned else None
    same = (each for each in reversed(ledger.entries) if (each.manifest, each.state) == (entry.manifest, learned))
    return next(same, None)


def _fill(place: Path, files: Mapping[str, bytes], golden: bytes | None) -> None:
    staged = stage_folder(place.parent, files)
    if golden is not None:
        (place / "tests").mkdir(exist_ok=True)
        replace_file(place / GOLDEN, golden)
    remove_folder(place / STATE)
    staged.rename(place / STATE)
    sync_folder(place)


def _write_root(folder: Path, root_files: Mapping[str, bytes]) -> None:
    for name, content in root_files.items():
        path = folder / relative(name)
        if path.is_symlink() or not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)


def _clean(folder: Path, lock: Lock, ledger: Ledger) -> None:
    """Remove what a killed writer left: temporary files, and folders and state that it had noted and not yet listed."""
    for pattern in (f"{TEMPORARY}*", f"*/{TEMPORARY}*", f"v*/tests/{TEMPORARY}*"):
        for path in folder.glob(pattern):
            remove_folder(path)
    for number in lock.unlisted:
        entry, place = ledger.entry(number), folder / folder_name(number)
        if entry is None:
            remove_folder(place)
        elif entry.state is None:
            remove_folder(place / STATE)
            (place / GOLDEN).unlink(missing_ok=True)
    if not ledger.entries and all(path.name in (LEDGER, LOCK) for path in folder.iterdir()):
        (folder / LEDGER).unlink(missing_ok=True)


def _check_is_ours(folder: Path) -> None:
    # The files come before the ledger: a process that writes here just now writes its ledger before anything else.
    try:
        others = [path.name for path in folder.iterdir() if path.name != LEDGER and not _is_leftover(path)]
    except FileNotFoundError:
        return
    if others and not (folder / LEDGER).exists() and not (folder / LEDGER).is_symlink():
        raise NbprodError(
            f"{folder} holds something else: {', '.join(sorted(others)[:3])}",
            code="occupied-folder",
            where=Where(path=str(folder)),
            hint=f"choose another name with --name or another folder with -o, or move {folder} away",
        )


def _is_leftover(path: Path) -> bool:
    return path.name == LOCK or path.name.startswith(TEMPORARY) or is_litter(Path(path.name))


def _remove_if_empty(folder: Path) -> None:
    # Another process may have begun to write here since the lock was given back.
    with suppress(OSError):
        folder.rmdir()


def _is_replaceable(folder: Path, ledger: Ledger, entry: Entry) -> bool:
    place = folder / entry.folder
    unfitted = entry.state is None and not (place / STATE).exists()
    named = entry.number in set(ledger.aliases.values())
    return unfitted and not named and not edited_files(place, entry.manifest)


def _next_number(folder: Path, ledger: Ledger) -> int:
    # A folder that no ledger lists may be another branch's work: its number is left alone.
    there = [int(path.name[1:]) for path in folder.glob("v[0-9][0-9][0-9][0-9]*") if path.name[1:].isdigit()]
    return max([0, *there, *(entry.number for entry in ledger.entries)]) + 1


def _listed(ledger: Ledger, number: int) -> Entry:
    entry = ledger.entry(number)
    if entry is None:
        known = ", ".join(str(each.number) for each in ledger.entries) or "none"
        raise NbprodError(f"{ledger.name} has no version {number}", code="no-version", hint=f"there are: {known}")
    return entry


def _check_paths(version_files: Mapping[str, bytes], root_files: Mapping[str, bytes]) -> None:
    for path in (*version_files, *root_files):
        relative(path)
    for path in version_files:
        if path == GOLDEN or path.startswith(f"{STATE}/"):
            raise NbprodError(f"{path} is written by a fit, not by an export", code="bad-path")


def _timestamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
