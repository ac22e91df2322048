"""The record of promotions beside the ledger: lines are added, and none is ever changed."""

from __future__ import annotations

from pathlib import Path

from msgspec import DecodeError, json

from nbprod.errors import NbprodError, Where
from nbprod.model.promotion import Promotion
from nbprod.versions.files import replace_file
from nbprod.versions.ledger import package_folder

PROMOTIONS = "promotions.jsonl"


def record(folder: Path, promotion: Promotion) -> None:
    """Add a line to the record of the package in `folder`, whose lock is held; a kill leaves all of it or none."""
    path = folder / PROMOTIONS
    before = _text(path)
    if before and not before.endswith(b"\n"):
        before += b"\n"
    replace_file(path, before + json.encode(promotion, order="sorted") + b"\n")


def promotions(root: Path, name: str) -> tuple[Promotion, ...]:
    """What was recorded for a package, oldest first. Raises NbprodError at a line that is no record."""
    path = package_folder(root, name) / PROMOTIONS
    return tuple(_read(path, number, line) for number, line in enumerate(_text(path).splitlines(), start=1) if line)


def _text(path: Path) -> bytes:
    if path.is_symlink():
        raise _damaged(path, None, "it is a link")
    return path.read_bytes() if path.is_file() else b""


def _read(path: Path, number: int, line: bytes) -> Promotion:
    try:
        return json.decode(line, type=Promotion)
    except (DecodeError, UnicodeDecodeError) as error:
        raise _damaged(path, number, str(error)) from error


def _damaged(path: Path, line: int | None, reason: str) -> NbprodError:
    return NbprodError(
        f"the record of promotions is damaged: {reason}",
        code="damaged-ledger",
        where=Where(str(path), line=line),
        hint="restore it from version control; lines of both sides of a merge are kept",
    )
