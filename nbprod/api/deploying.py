"""The verb `deploy`: the files with which an engine runs a version, or trains it again; written, compared, checked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nbprod import versions
from nbprod.api.compiling import compiled, step
from nbprod.api.deployed import DEEPEST, deployed, usual
from nbprod.api.deployments import deployment_of, placed, python_of
from nbprod.api.pinning import pin as pin_image
from nbprod.api.serving import Fitted, fitted_version
from nbprod.api.walking import FOREIGN
from nbprod.deploy.exporter import Exporter
from nbprod.deploy.owned import WRITES, aside, compared, left
from nbprod.deploy.records import RECORD, Before, Record, digest_of, read_record, record_bytes
from nbprod.deploy.targets import TARGETS
from nbprod.errors import NbprodError, Where
from nbprod.ignored import keep_out_of_git
from nbprod.model.deployment import Deployment, File, Written
from nbprod.versions.files import explained, replace_file
from nbprod.versions.lock import locked

WRITING = ".nbprod/deploying"
"""The locks of those who write."""

REFUSED = {
    "option": "--dir",
    "kept": "files that were written are whole",
    "again": "give the command again, which goes on",
}
"""What is told where a file can't be written."""


def deploy(
    name: str,
    target: str,
    *,
    folder: str | None = None,
    output: str | None = None,
    check: bool = False,
    force: bool = False,
    keep: bool = False,
    pin: bool = False,
    python: str | None = None,
) -> dict[str, Any]:
    """Write the files of `target` for `NAME`, `NAME@3` or `NAME@champion` into the project (schemas/deploy.json).

    They go into `folder` (default: deploy/NAME/TARGET), but for those that an engine looks for in a place of its own.
    A file that somebody changed stays as it is. Where the target asks for another text by now it is a `conflict`:
    `force` writes the target's text and keeps the other beside it as FILE.orig, `keep` says that theirs is right.
    With `check` nothing is written. `pin` has Docker ask for the digest of the base image, and declares it. `python` is
    an interpreter that has what a target's own compiler needs.

    Raises NbprodError: `unknown-target`, what `fitted_version` raises, `outside` for a folder outside the project,
    `taken` for one that holds another target's files, `symlink`, `damaged-record`, `usage` where a target has no image
    to pin or nothing to compile, what `pinning.pin` and `compiled` raise.
    """
    exporter = TARGETS.get(target)
    if exporter is None:
        raise _unknown(target)
    if python is not None and exporter.compiled is None:
        raise NbprodError(f"nothing is compiled for {target}, so --python names no interpreter of it", code="usage")
    fitted = fitted_version(name, output=output)
    root = fitted.target.project.root
    own = _own_folder(root, folder or usual(fitted.target.name, target))
    if pin:
        fitted = _pinned(fitted, exporter)
    asked = _Asked(exporter, fitted, own, check=check, force=force, keep=keep, python=python)
    if check:
        return _report(asked, *_made(asked))
    with explained(root / own, **REFUSED), _alone(root, fitted.target.name):
        made = _made(asked)
        return _report(asked, replace(made[0], written=_write(asked, made[0])), made[1])


def check_all(name: str, *, output: str | None = None) -> list[dict[str, Any]]:
    """What `deploy` with `check` finds of every target that was deployed for `NAME`, wherever in the project it lies.

    A target that can't be written by now, or whose record can't be read, has its `target` (None where it is not told),
    its `folder` and the `error`, and the others are looked at. Raises NbprodError: `not-deployed` where there is none,
    and what `fitted_version` raises.
    """
    fitted = fitted_version(name, output=output)
    root = fitted.target.project.root
    found: list[dict[str, Any]] = []
    for each in deployed(root, fitted.target.name):
        if each.record is None:
            found.append({"target": None, "folder": each.folder, "error": each.error})
            continue
        try:
            found.append(deploy(name, each.record.target, folder=each.folder, output=output, check=True))
        except NbprodError as error:
            found.append({"target": each.record.target, "folder": each.folder, "error": error})
    if not found:
        raise NbprodError(
            f"nothing is deployed for {fitted.target.name}",
            code="not-deployed",
            where=Where(str(root)),
            hint=f"nbprod deploy {fitted.target.name} lists the targets",
        )
    return found


class _Asked(Struct, frozen=True):
    """One call: what is deployed, by which target, in which folder of its own, and how a person wants it."""

    exporter: Exporter
    fitted: Fitted
    own: str
    check: bool
    force: bool
    keep: bool
    python: str | None

    @property
    def root(self) -> Path:
        return self.fitted.target.project.root

    @property
    def merges(self) -> bool:
        return not (self.force or self.keep)


class _Made(Struct, frozen=True):
    """The deployment, its files, what is or was to be done with each, and the record of what was written before."""

    deployment: Deployment
    files: tuple[File, ...]
    written: tuple[Written, ...]
    before: Record


def _made(asked: _Asked) -> tuple[_Made, list[str]]:
    """What the target asks for, held against what stands there; and what a person has to know. Nothing is written."""
    root, own, exporter, target = asked.root, asked.own, asked.exporter, asked.fitted.target
    before = read_record(root / own)
    if before is not None and (before.package, before.target) != (target.name, exporter.name):
        raise _taken(own, before)
    deployment, notes = deployment_of(target, asked.fitted.version, before, exporter, renews=not asked.check)
    files = tuple(exporter.files(deployment, own))
    if exporter.compiled is not None:
        made, missing = compiled(
            exporter.compiled,
            root,
            own,
            files,
            python=asked.python,
            check=asked.check,
            force=asked.force,
            merges=asked.merges,
        )
        files, notes = (*files, *([made] if made else [])), [*notes, *([missing] if missing else [])]
    written = compared(root, own, files, merges=asked.merges)
    return _Made(deployment, files, written, before or Record(target.name, exporter.name)), notes


def _report(asked: _Asked, made: _Made, notes: Sequence[str]) -> dict[str, Any]:
    deployment, exporter = made.deployment, asked.exporter
    return {
        "name": deployment.name,
        "version": deployment.version,
        "digest": deployment.digest,
        "target": exporter.name,
        "folder": asked.own,
        "checked": asked.check,
        "files": [
            {"path": each.path, "state": each.state, "diff": each.diff, "kept_as": each.kept_as}
            for each in made.written
        ],
        "notes": [*notes, *exporter.notes(deployment, asked.own)],
        "next": list(_steps(asked, deployment)),
    }


def _steps(asked: _Asked, deployment: Deployment) -> Iterator[str]:
    """The commands that come next: what is still to be compiled comes before what takes it."""
    recipe = asked.exporter.compiled
    if recipe is not None and not (asked.root / asked.own / recipe.out).is_file():
        yield step(recipe, asked.own)
    yield from asked.exporter.steps(deployment, asked.own)


@contextmanager
def _alone(root: Path, name: str) -> Iterator[None]:
    """One writer of a package's deployments at a time."""
    keep_out_of_git(root / WRITING)
    with locked(root / WRITING / name):
        yield


def is_stale(report: Mapping[str, Any], *, force: bool = False, keep: bool = False) -> bool:
    """Whether files are not what their target asks for, as `deploy` reports it."""
    states = {each["state"] for each in report["files"]}
    is_open = "conflict" in states and not (force or keep)
    return is_open or (report["checked"] and bool(states & WRITES))


def _write(asked: _Asked, made: _Made) -> tuple[Written, ...]:
    """Write what nobody changed, each file whole or not at all.

    The record says first what the files are to become, and in the end what they are: so every text that was ours is
    known as ours, also after a kill, and to a run of another version. Gives what was done, with the files that a
    person's texts were moved to.
    """
    root, record = asked.root, asked.root / asked.own / RECORD
    before, texts = made.before.files, {file.path: file.text for file in made.files}
    moves = {each.path for each in made.written if each.state == "conflict" and asked.force}
    writes = {
        each.path: each.text or texts[each.path]
        for each in made.written
        if each.path in texts and (each.state in WRITES or each.path in moves)
    }
    record.parent.mkdir(parents=True, exist_ok=True)
    if writes:
        begun = {**before, **{path: _begun(before.get(path, Before()), text) for path, text in writes.items()}}
        replace_file(record, record_bytes(replace(made.before, files=begun)))
    done = []
    for each in made.written:
        path = root / each.path
        if each.path in moves:
            place = aside(path)
            path.replace(place)
            each = replace(each, kept_as=place.relative_to(root).as_posix())
        if each.path in writes:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, writes[each.path].encode())
        elif each.state == "removed":
            path.unlink()
        done.append(each)
    recipe = asked.exporter.compiled
    unmade = None if recipe is None or f"{asked.own}/{recipe.out}" in texts else f"{asked.own}/{recipe.out}"
    theirs = left(made.written, keeps=asked.keep or asked.force, unmade=unmade)
    now = {path: Before(digest_of(text), text) for path, text in texts.items() if path not in theirs}
    now |= {path: before[path] for path in theirs if path in before}
    deployment = made.deployment
    text = record_bytes(
        Record(
            package=deployment.name,
            target=asked.exporter.name,
            version=deployment.version,
            load=deployment.load,
            pins=deployment.pins if asked.exporter.builds else None,
            schedule=deployment.flow.cron if asked.exporter.schedules(deployment) else None,
            files=now,
        )
    )
    if not record.is_file() or record.read_bytes() != text:
        replace_file(record, text)
    return tuple(done)


def _begun(before: Before, text: str) -> Before:
    return replace(before, writing=digest_of(text))


def _pinned(fitted: Fitted, exporter: Exporter) -> Fitted:
    """The same version, once the digest of the base image is declared."""
    if not exporter.builds:
        able = ", ".join(name for name, each in TARGETS.items() if each.builds)
        raise NbprodError(f"{exporter.name} builds no image: --pin is for {able}", code="usage")
    target, version = fitted.target, fitted.version
    folder = versions.version_folder(target.root, target.name, version.number)
    image = placed(target, python_of(versions.read_object(folder / "state" / "fitted.json") or {})).base_image
    pin_image(target, str(target.project.root / version.notebook), image)
    return fitted_version(f"{target.name}@{version.number}", output=str(target.root))


def _taken(folder: str, known: Record) -> NbprodError:
    return NbprodError(
        f"{folder} holds the files of {known.package} for {known.target}",
        code="taken",
        where=Where(folder),
        hint="choose another folder with --dir",
    )


def _own_folder(root: Path, folder: str) -> str:
    """A folder as a posix path relative to the project's root, in which it must lie."""
    path = Path(os.path.normpath(root.resolve() / folder))
    if path == root.resolve() or not path.is_relative_to(root.resolve()):
        raise NbprodError(
            "files of a deployment lie in a folder of the project",
            code="outside",
            where=Where(folder),
            hint=f"choose a folder below {root}",
        )
    below = path.relative_to(root.resolve())
    if len(below.parts) > DEEPEST or any(each.startswith(".") or each in FOREIGN for each in below.parts):
        raise NbprodError(
            f"{below} is not looked into again: it is hidden, of an environment, or more than {DEEPEST} folders deep",
            code="outside",
            where=Where(folder),
            hint="choose another folder, such as deploy/NAME/TARGET",
        )
    return below.as_posix()


def _unknown(target: str) -> NbprodError:
    from difflib import get_close_matches

    near = get_close_matches(re.sub(r"^k8s?$", "kubernetes", target.lower()), TARGETS, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(sorted(TARGETS))}"
    return NbprodError(f'there is no target "{target}"', code="unknown-target", hint=hint)
