"""Files that nbprod writes beside those of a person: it replaces what it wrote, and never what somebody changed.

What was written is kept, with its hash, in a file of the target's folder. A text that differs from its hash is a
person's; it stays. Where the target asks for another text by now, both changes are put together if they can be, else
the difference is shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path, PurePosixPath

from msgspec import Struct

from nbprod.deploy.merging import merged
from nbprod.deploy.records import RECORD, Before, digest_of, read_record
from nbprod.errors import NbprodError, Where
from nbprod.model.deployment import File, Written

WRITES = frozenset({"new", "changed", "merged", "removed"})
"""States of files that are not yet what the target asks for, and whose text is certain."""


def compared(root: Path, folder: str, files: Iterable[File], *, merges: bool = True) -> tuple[Written, ...]:
    """What is to be done with each file of a target, whose own folder below `root` is `folder`; nothing is written.

    With `merges` what a person and the target changed in different places is put together. Raises NbprodError:
    `symlink` where a link stands in the way, `damaged-record`, `not-a-file`.
    """
    _there(root, f"{folder}/{RECORD}")
    record = read_record(root / folder)
    wanted = {file.path: file.text for file in files}
    return tuple(_each(root, wanted, {} if record is None else record.files, merges=merges))


def left(written: Iterable[Written], *, keeps: bool, unmade: str | None) -> set[str]:
    """The files that stay a person's, so that the record says of them what it said before.

    That is an open conflict, unless somebody has decided it (`keeps`), and an edited one that could not be made anew
    (`unmade`). One that is no longer asked for is the person's alone from now on.
    """
    return {
        each.path
        for each in written
        if (each.state == "conflict" and not keeps) or (each.state == "edited" and each.path == unmade)
    }


def aside(path: Path) -> Path:
    """Where a person's text is kept when the target's is put in its place: nothing stands there yet."""
    names = (path.with_name(f"{path.name}.orig{number or ''}") for number in count())
    return next(each for each in names if not each.exists() and not each.is_symlink())


def _each(root: Path, wanted: Mapping[str, str], before: Mapping[str, Before], *, merges: bool) -> Iterator[Written]:
    for name, text in wanted.items():
        there, base = _there(root, name), before.get(name, Before())
        if there is None:
            yield Written(name, "new")
        elif there.text == text:
            yield Written(name, "same")
        elif base.is_of(there.text):
            yield Written(name, "changed", _diff(name, there.text, text))
        elif base.digest == digest_of(text):
            yield Written(name, "edited", _diff(name, there.text, text))
        elif merges and (both := _both(base, there, text)) is not None:
            yield Written(name, "merged", _diff(name, there.text, both), text=both)
        else:
            yield Written(name, "conflict", _diff(name, there.text, text))
    for name in sorted(set(before) - set(wanted)):
        there = _there(root, name)
        if there is not None:
            yield Written(name, "removed" if before[name].is_of(there.text) else "edited")


class _There(Struct, frozen=True):
    """What stands in a file; where it is not UTF-8, `text` only shows it."""

    text: str
    is_utf8: bool


def _both(base: Before, there: _There, text: str) -> str | None:
    """What a person and the target changed, put together; None where that can't be without loss."""
    return None if base.text is None or not there.is_utf8 else merged(base.text, there.text, text)


def _there(root: Path, name: str) -> _There | None:
    """What stands in a file below `root`, None where there is none. Raises NbprodError: `symlink`, `not-a-file`."""
    path = root / PurePosixPath(name)
    for each in (path, *path.parents):
        if each == root:
            break
        if each.is_symlink():
            raise NbprodError(
                f"{name} is reached through a link, and nothing is written through links",
                code="symlink",
                where=Where(str(each)),
                hint="remove the link, or choose another folder with --dir",
            )
        if each.exists() and not (each.is_file() if each == path else each.is_dir()):
            raise NbprodError(
                f"what stands here is no {'file' if each == path else 'folder'}, which {name} needs",
                code="not-a-file",
                where=Where(str(each)),
                hint="move it away, or choose another folder with --dir",
            )
    if not path.exists():
        return None
    content = path.read_bytes()
    try:
        return _There(content.decode(), is_utf8=True)
    except UnicodeDecodeError:
        return _There(content.decode(errors="backslashreplace"), is_utf8=False)


def _diff(name: str, there: str, text: str) -> str:
    lines = difflib.unified_diff(
        there.splitlines(keepends=True), text.splitlines(keepends=True), f"{name} (as it stands)", f"{name} (deploy)"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
