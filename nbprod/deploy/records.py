"""The record of what was deployed: in the target's folder, committed with the files, the same in every clone.

It holds what one machine knew when the files were written (a load test, what was installed), and each file as its
target wanted it. While files are written it holds what they are to become as well, so that after a kill, or from a run
of another version, every text that was ours is known as ours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import Struct, ValidationError, convert, field, to_builtins

from nbprod.errors import NbprodError, Where
from nbprod.model.deployment import Load

RECORD = ".nbprod-deploy.json"
SCHEMA = 1


class Before(Struct, frozen=True):
    """A file as its target wanted it when it was written last: the hash of the text, and the text if it is known.

    `writing` is the hash of a text that was about to be written.
    """

    digest: str = ""
    text: str | None = None
    writing: str = ""

    def is_of(self, text: str) -> bool:
        """Whether a text is one that was written, and nobody's own."""
        return digest_of(text) in (self.digest, self.writing)


class Record(Struct, frozen=True):
    """What was deployed of which package by which target; `pins` and `load` are None where they were not known."""

    package: str = ""
    target: str = ""
    version: int = 0
    load: Load | None = None
    pins: tuple[str, ...] | None = None
    schedule: str | None = None
    files: Mapping[str, Before] = field(default_factory=dict)


def read_record(folder: Path) -> Record | None:
    """The record in a target's folder, None where there is none. Raises NbprodError (`damaged-record`)."""
    path = folder / RECORD
    if not path.exists():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["schema"] != SCHEMA:
            raise ValueError(f"its schema is {value['schema']}, and this nbprod writes {SCHEMA}")
        about = {name: value[name] for name in Record.__struct_fields__ if name in value}
        return convert({**about, "files": _files(value)}, Record)
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise NbprodError(
            f"the record of what was deployed is damaged: {error}",
            code="damaged-record",
            where=Where(str(path)),
            hint="restore it from version control; removed, every file counts as changed by hand",
        ) from error


def record_bytes(record: Record) -> bytes:
    """The text of a record: files in order, so that a change is a small diff."""
    files = dict(sorted(record.files.items()))
    value = {
        "schema": SCHEMA,
        **{name: to_builtins(getattr(record, name)) for name in Record.__struct_fields__ if name != "files"},
        "files": {path: each.digest for path, each in files.items()},
        "texts": {path: each.text for path, each in files.items() if each.text is not None},
    }
    writing = {path: each.writing for path, each in files.items() if each.writing}
    return (json.dumps(value | ({"writing": writing} if writing else {}), indent=2, ensure_ascii=False) + "\n").encode()


def digest_of(text: str) -> str:
    """The sha256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def _files(value: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    texts, writing = value.get("texts", {}), value.get("writing", {})
    return {
        _inside(name): {"digest": digest, "text": texts.get(name), "writing": writing.get(name, "")}
        for name, digest in value["files"].items()
    }


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f'"{name}" leads out of the project')
    return name
