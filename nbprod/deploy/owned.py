"""Files that nbprod writes beside those of a person: it replaces what it wrote, and never what somebody changed.

What was written is kept, with its hash, in a file of the target's folder. A text that differs from its hash is a
person's; it stays. Where the target asks for another text by now, both changes are put together if they can be, else
the difference is shown.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path, PurePosixPath

from msgspec import Struct

from nbprod.deploy.merging import merged
from nbprod.errors import NbprodError, Where
from nbprod.model.deployment import File, Written

RECORD = ".nbprod-deploy.json"
SCHEMA = 1
WRITES = frozenset({"new", "changed", "merged", "removed"})
"""States of files that are not yet what the target asks for, and whose text is certain."""


class Before(Struct, frozen=True):
    """A file as its target wanted it when it was written last: the hash of the text, and the text if it is known."""

    digest: str = ""
    text: str | None = None


def compared(root: Path, folder: str, files: Iterable[File], *, merges: bool = True) -> tuple[Written, ...]:
    """What is to be done with each file of a target, whose own folder below `root` is `folder`; nothing is written.

    With `merges` what a person and the target changed in different places is put together. Raises NbprodError:
    `symlink` where a link stands in the way, `damaged-record`, `not-a-file`.
    """
    _text(root, f"{folder}/{RECORD}")
    wanted = {file.path: file.text for file in files}
    return tuple(_each(root, wanted, written_before(root, folder), merges=merges))


def content_of(record: Mapping[str, object], files: Iterable[File], kept: Mapping[str, Before]) -> bytes:
    """The text of the record: what is deployed, and each file as the target wants it, with its hash.

    `kept` are earlier texts, for files that a person changed and that were left alone.
    """
    now = {file.path: kept.get(file.path, Before(digest_of(file.text), file.text)) for file in files}
    value = {
        "schema": SCHEMA,
        **record,
        "files": {path: each.digest for path, each in sorted(now.items())},
        "texts": {path: each.text for path, each in sorted(now.items()) if each.text is not None},
    }
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def written_before(root: Path, folder: str) -> dict[str, Before]:
    """Each file as it was written last. Raises NbprodError (`damaged-record`)."""
    return _recorded(root / folder / RECORD)


def aside(path: Path) -> Path:
    """Where a person's text is kept when the target's is put in its place: nothing stands there yet."""
    names = (path.with_name(f"{path.name}.orig{number or ''}") for number in count())
    return next(each for each in names if not each.exists() and not each.is_symlink())


def digest_of(text: str) -> str:
    """The sha256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def _each(root: Path, wanted: Mapping[str, str], before: Mapping[str, Before], *, merges: bool) -> Iterator[Written]:
    for name, text in wanted.items():
        there, base = _text(root, name), before.get(name, Before())
        if there is None:
            yield Written(name, "new")
        elif there == text:
            yield Written(name, "same")
        elif base.digest == digest_of(there):
            yield Written(name, "changed", _diff(name, there, text))
        elif base.digest == digest_of(text):
            yield Written(name, "edited", _diff(name, there, text))
        elif merges and base.text is not None and (both := merged(base.text, there, text)) is not None:
            yield Written(name, "merged", _diff(name, there, both), text=both)
        else:
            yield Written(name, "conflict", _diff(name, there, text))
    for name in sorted(set(before) - set(wanted)):
        there = _text(root, name)
        if there is not None:
            yield Written(name, "removed" if before[name].digest == digest_of(there) else "edited")


def _text(root: Path, name: str) -> str | None:
    """What stands in a file below `root`, None where there is none; a text that is not UTF-8 is a person's."""
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
    return path.read_bytes().decode("utf-8", errors="backslashreplace")


def _recorded(path: Path) -> dict[str, Before]:
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["schema"] != SCHEMA:
            raise ValueError(f"its schema is {value['schema']}, and this nbprod writes {SCHEMA}")
        texts = value.get("texts", {})
        return {_inside(name): Before(str(digest), texts.get(name)) for name, digest in value["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NbprodError(
            f"the record of what was deployed is damaged: {error}",
            code="damaged-record",
            where=Where(str(path)),
            hint="restore it from version control; removed, every file counts as changed by hand",
        ) from error


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f'"{name}" leads out of the project')
    return name


def _diff(name: str, there: str, text: str) -> str:
    lines = difflib.unified_diff(
        there.splitlines(keepends=True), text.splitlines(keepends=True), f"{name} (as it stands)", f"{name} (deploy)"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
