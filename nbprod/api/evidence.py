"""Evidence of the checklist that takes time to make: kept in the project, with the hashes of what it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import DecodeError, ValidationError, convert, json, to_builtins

import nbprod
from nbprod.api.packages import Target
from nbprod.ignored import keep_out_of_git
from nbprod.model.readiness import Evidence, Standing
from nbprod.notebook.redact import redact_in, redact_text
from nbprod.readiness.facts import Joined
from nbprod.versions.files import replace_file

FOLDER = ".nbprod/evidence"
HISTORY, JOINED = "standings.json", "joined.json"
MOST = 1200
"""Characters of an evidence's text that are kept."""


def evidence_of(target: Target) -> dict[str, Evidence]:
    """What is kept of a package, by item; a file that is damaged is none."""
    found = {}
    for path in sorted(_folder(target).glob("*.json")):
        try:
            kept = json.decode(path.read_bytes(), type=Evidence)
        except (OSError, DecodeError, ValidationError):
            continue
        if kept.item == path.stem:
            found[kept.item] = kept
    return found


def keep(target: Target, evidence: Iterable[Evidence]) -> None:
    """Keep what checks have seen; each replaces what was kept of its item."""
    keep_out_of_git(target.project.root / FOLDER)
    folder = _folder(target)
    folder.mkdir(parents=True, exist_ok=True)
    for each in evidence:
        replace_file(folder / f"{each.item}.json", json.format(json.encode(each), indent=2) + b"\n")


def standings(target: Target) -> tuple[Standing, ...]:
    """How the checklist stood for each version, the oldest first; a file that is damaged tells nothing."""
    try:
        return json.decode((_folder(target) / HISTORY).read_bytes(), type=tuple[Standing, ...])
    except (OSError, DecodeError, ValidationError):
        return ()


def note(target: Target, standing: Standing) -> None:
    """Note how the checklist stands for a version, in place of what was noted of it before."""
    others = [each for each in standings(target) if each.version != standing.version]
    path = _folder(target) / HISTORY
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.format(json.encode([*others, standing]), indent=2) + b"\n")


def seen(
    item: str,
    held: bool | None,
    text: str,
    inputs: Mapping[str, str],
    *,
    contradicts: str | None = None,
    numbers: Mapping[str, Any] | None = None,
) -> Evidence:
    """Evidence of this moment, made by this nbprod, without secrets."""
    told = redact_text(text)
    return Evidence(
        item=item,
        held=held,
        text=told if len(told) <= MOST else f"{told[:MOST]}…",
        inputs=dict(inputs),
        tool=nbprod.__version__,
        when=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        contradicts=None if contradicts is None else redact_text(contradicts),
        numbers=convert(redact_in(to_builtins(dict(numbers or {}))), dict[str, Any]),
    )


def note_joined(target: Target, joined: Joined) -> None:
    """Note how many of the true answers of a file found theirs, in place of the file before it."""
    keep_out_of_git(target.project.root / FOLDER)
    path = _folder(target) / JOINED
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.format(json.encode(joined), indent=2) + b"\n")


def last_joined(target: Target) -> Joined | None:
    """What was noted so last; None where there is nothing, or the file is damaged."""
    try:
        return json.decode((_folder(target) / JOINED).read_bytes(), type=Joined)
    except (OSError, DecodeError, ValidationError):
        return None


def digest(*parts: bytes | str) -> str:
    """The sha256 of some texts, each apart from the next."""
    made = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        made.update(f"{len(raw)}:".encode() + raw)
    return made.hexdigest()


def _folder(target: Target) -> Path:
    return target.project.root / FOLDER / target.name
