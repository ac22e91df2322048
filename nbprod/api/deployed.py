"""What is deployed of a package: the records of its deployments, wherever in the project they lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from nbprod.api.walking import own_folders
from nbprod.deploy.records import RECORD, Record, read_record
from nbprod.errors import NbprodError

FOLDER = "deploy"
"""The folder of a project in which deployments lie, unless they are told another one."""

DEEPEST = 10
"""Folders below the root of a project in which files of a deployment may lie, so that all of them are found again."""


class Deployed(Struct, frozen=True):
    """A deployment: its folder, posix and relative to the project's root, and its record, or why that can't be read."""

    folder: str
    record: Record | None = None
    error: NbprodError | None = None


def deployed(root: Path, name: str) -> Iterator[Deployed]:
    """The deployments of the package `name` in the project at `root`, and records that can't be read, by folders."""
    for here, names in own_folders(root, DEEPEST):
        if RECORD not in names:
            continue
        try:
            record = read_record(root / here)
        except NbprodError as error:
            yield Deployed(here.as_posix(), error=error)
        else:
            if record is not None and record.package == name:
                yield Deployed(here.as_posix(), record)


def usual(name: str, target: str) -> str:
    """The folder of a target's files, where nothing else is told."""
    return f"{FOLDER}/{name}/{target}"


def elsewhere(root: Path, name: str) -> Mapping[str, str]:
    """The folders of the targets that are deployed in other places alone, by target; of several the first."""
    found: dict[str, str] = {}
    for each in deployed(root, name):
        if each.record is not None:
            place = found.get(each.record.target)
            if place is None or each.folder == usual(name, each.record.target):
                found[each.record.target] = each.folder
    return {target: folder for target, folder in sorted(found.items()) if folder != usual(name, target)}
