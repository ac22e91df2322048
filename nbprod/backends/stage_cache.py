"""What the stages of earlier runs have handed over, on disk: found again where nothing that they hang on has changed.

An entry stands for the code on the way to what it holds, the environment, and the content of every file that was read.
It is written beside, and moved into its place as a whole. Nothing in it is pickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from msgspec import Struct, to_builtins
from msgspec import json as fast
from msgspec.structs import replace

from nbprod.backend import CellOutput, Restored
from nbprod.backends.hashes import content_hashes
from nbprod.backends.kernel.files import linked
from nbprod.ignored import keep_out_of_git
from nbprod.model.notebook import Notebook
from nbprod.model.run import CellTime, RunResult
from nbprod.plan.stages import Handover

FOLDER = ".nbprod/cache"
ENTRY, CELLS, FIT, VALUES, CAPTURES = "entry.json", "cells.json", "fit.json", "values", "captures"
SCHEMA = 1
A_DAY = 24 * 60 * 60
KEPT_OF_A_STAGE = 4
"""Entries that are kept of one stage of a notebook: the newest."""

Hashes = Sequence[tuple[str, str, int]]


class Entry(Struct, frozen=True):
    """What one stage of one run has left. `role` is the stage's; `after` its last cell; `is_run` says it is all of it.

    `inputs` and `outputs` are files with their sha256 and size, `listed` folders with a hash of their names.
    """

    schema: int
    notebook: str
    role: str
    after: int
    digest: str
    environment: str
    created: str
    inputs: list[tuple[str, str, int]]
    outputs: list[tuple[str, str, int]]
    listed: list[tuple[str, str]]
    cells: list[CellTime]
    sources: dict[int, str]
    is_run: bool = False
    result: RunResult | None = None


class Found(Struct, frozen=True):
    """An entry that may stand for a stage now, and its folder."""

    entry: Entry
    folder: Path


class StageCache:
    """The entries of one notebook in one environment, up to `limit` bytes for the whole project.

    `base` is what this run goes on from. `reasons` tells of stages that were not kept, by their last cell; `changed`
    are the cells that a restored stage does not run although their text is another now.
    """

    def __init__(self, project: Path, notebook: Notebook, environment: str, *, limit: int) -> None:
        self.root = project.resolve() / FOLDER
        self.notebook = notebook
        self.environment = environment
        self.limit = limit
        self.reasons: dict[int, str] = {}
        self.changed: tuple[int, ...] = ()
        self.base: Found | None = None
        self._hashes: dict[str, tuple[str, str, int] | None] = {}

    @property
    def folder(self) -> Path:
        """Where the entries of this notebook lie."""
        path = str(Path(self.notebook.path).resolve())
        return self.root / f"{Path(path).stem[:40]}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"

    # ------------------------------------------------------------------ finding

    def find(self, handover: Handover) -> Found | None:
        """An entry of this stage whose files are all as they were."""
        if handover.reason is not None:
            return None
        for folder in sorted(self.folder.glob(f"{self._digest(handover)[:24]}-*"), reverse=True):
            found = read_entry(folder)
            if found is not None and found.entry.digest == self._digest(handover) and self._is_as_it_was(found.entry):
                os.utime(folder)
                return found
        return None

    def restored(self, found: Found, handover: Handover) -> Restored:
        """What a run needs to go on behind this stage."""
        return Restored(handover, found.folder / VALUES, self.outputs(found, handover), tuple(found.entry.cells))

    def outputs(self, found: Found, handover: Handover) -> dict[int, CellOutput]:
        """What the cells up to the end of a stage have shown whose text is as it was."""
        kept = fast.decode((found.folder / CELLS).read_bytes(), type=dict[int, CellOutput])
        return {cell: kept[then] for cell, then in self._as_then(found, handover).items() if then in kept}

    def edited(self, found: Found, handover: Handover) -> tuple[int, ...]:
        """The cells up to the end of a stage whose text is another than when the stage ran."""
        same = self._as_then(found, handover)
        now = self.notebook.cells[: handover.after + 1]
        return tuple(cell.index for cell in now if cell.index not in same and cell.source.strip())

    def _as_then(self, found: Found, handover: Handover) -> dict[int, int]:
        """The cells up to the end of a stage whose text is as it was, with the numbers that they had."""
        then = sorted(found.entry.sources.items())
        now = self.notebook.cells[: handover.after + 1]
        # Cells that stand elsewhere since others were added or taken away are still the same.
        same = SequenceMatcher(
            None, [one for _, one in then], [_digest_of(cell.source) for cell in now], autojunk=False
        )
        return {
            now[block.b + n].index: then[block.a + n][0]
            for block in same.get_matching_blocks()
            for n in range(block.size)
        }

    def _digest(self, handover: Handover) -> str:
        return _digest_of("\n".join([str(SCHEMA), handover.digest, self.environment]))

    def _is_as_it_was(self, entry: Entry) -> bool:
        files = [*entry.inputs, *entry.outputs]
        self._look([path for path, _, _ in files])
        return all(self._hashes.get(path) == (path, sha, size) for path, sha, size in files) and all(
            _names_in(path) == names for path, names in entry.listed
        )

    def _look(self, paths: Iterable[str]) -> None:
        new = [path for path in paths if path not in self._hashes]
        self._hashes.update(dict.fromkeys(new))
        self._hashes.update({one[0]: one for one in content_hashes(new)})

    # ------------------------------------------------------------------ keeping

    def keep(
        self, handover: Handover, folder: Path, times: Sequence[CellTime], shown: Mapping[int, CellOutput]
    ) -> None:
        """Keep what a stage of this run has handed over, which lies in `folder`; or the reason why not."""
        told = json.loads((folder / "handover.json").read_text(encoding="utf-8"))
        reason = told.get("reason") or _reason(told)
        if reason is not None:
            self.reasons[handover.after] = reason
            return
        self._write(handover, told, [each for each in times if each.cell <= handover.after], shown, {VALUES: folder})

    def keep_run(self, handover: Handover, result: RunResult, shown: Mapping[int, CellOutput]) -> Path | None:
        """Keep a whole run; gives the entry's folder, None where it can't be found again."""
        if handover.reason is not None:
            self.reasons[handover.after] = handover.reason
            return None
        told = json.loads((Path(result.captures) / "index.json").read_text(encoding="utf-8"))
        reason = _reason(told)
        if reason is not None:
            self.reasons[handover.after] = reason
            return None
        kept = replace(result, executed="", captures="")
        return self._write(
            handover, told, list(result.cells), shown, {CAPTURES: Path(result.captures)}, result=kept
        )  # fmt: skip

    def _write(
        self,
        handover: Handover,
        told: Mapping[str, Any],
        times: list[CellTime],
        shown: Mapping[int, CellOutput],
        folders: Mapping[str, Path],
        *,
        result: RunResult | None = None,
    ) -> Path | None:
        read = [*told["opened"], *told["modules_read"], *_named_files(self.notebook, handover.after)]
        before = self.base.entry if self.base is not None else None
        inputs = {path: (path, sha, size) for path, sha, size in (before.inputs if before else ())}
        outputs = {path: (path, sha, size) for path, sha, size in (before.outputs if before else ())}
        listed = dict(before.listed if before else ())
        written = dict.fromkeys(told["written"])
        self._hashes = {path: one for path, one in self._hashes.items() if path not in written}
        self._look([*read, *written])
        inputs.update({path: one for path in read if path not in written and (one := self._hashes[path]) is not None})
        outputs.update({path: one for path in written if (one := self._hashes[path]) is not None})
        listed.update({path: names for path in told["listed"] if (names := _names_in(path)) is not None})
        entry = Entry(
            schema=SCHEMA,
            notebook=str(Path(self.notebook.path).resolve()),
            role=handover.stage.role.value,
            after=handover.after,
            digest=self._digest(handover),
            environment=self.environment,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            inputs=sorted(inputs.values()),
            outputs=sorted(outputs.values()),
            listed=sorted(listed.items()),
            cells=times,
            sources={cell.index: _digest_of(cell.source) for cell in self.notebook.cells[: handover.after + 1]},
            is_run=result is not None,
            result=result,
        )
        of_files = _digest_of(json.dumps([entry.inputs, entry.outputs, entry.listed]))
        place = self.folder / f"{entry.digest[:24]}-{of_files[:16]}"
        try:
            self._install(entry, {n: one for n, one in shown.items() if n <= handover.after}, folders, place)
        except OSError as refused:
            self.reasons[handover.after] = f"it can't be written: {refused.strerror or refused}"
            return None
        trim(self.root, self.limit, spare=place)
        return place

    def _install(
        self, entry: Entry, shown: Mapping[int, CellOutput], folders: Mapping[str, Path], place: Path
    ) -> None:  # fmt: skip
        place.parent.mkdir(parents=True, exist_ok=True)
        keep_out_of_git(self.root)
        _sweep(place.parent)
        staged = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
        try:
            for name, folder in folders.items():
                shutil.copytree(folder, staged / name, copy_function=linked)
            (staged / ENTRY).write_bytes(fast.encode(entry))
            (staged / CELLS).write_bytes(fast.encode({cell: to_builtins(one) for cell, one in shown.items()}))
            staged.chmod(0o755)
            if place.exists():
                shutil.rmtree(place, ignore_errors=True)
            staged.rename(place)
        except OSError:
            if not place.exists():
                raise
            # Another run was faster; its entry is as good.
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        of_stage = sorted(
            (found for found in entries_in(place.parent) if found.entry.role == entry.role),
            key=lambda found: found.folder.stat().st_mtime,
        )
        for found in of_stage[:-KEPT_OF_A_STAGE]:
            shutil.rmtree(found.folder, ignore_errors=True)


# ---------------------------------------------------------------------- entries


def read_entry(folder: Path) -> Found | None:
    """The entry in a folder; None where it is none that this version reads, or goes away just now."""
    from msgspec import DecodeError

    try:
        entry = fast.decode((folder / ENTRY).read_bytes(), type=Entry)
    except (OSError, DecodeError):
        return None
    return Found(entry, folder) if entry.schema == SCHEMA else None


def entries_in(folder: Path) -> Iterator[Found]:
    """The entries of one notebook."""
    for path in sorted(folder.glob("[!.]*")):
        found = read_entry(path)
        if found is not None:
            yield found


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def trim(root: Path, limit: int, *, spare: Path | None = None) -> None:
    """Remove the entries that were used longest ago until all take no more than `limit` bytes; `spare` stays."""
    found = [(path.stat().st_mtime, size_of(path), path) for path in root.glob("*/[!.]*") if path.is_dir()]
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= limit:
            return
        if path != spare:
            shutil.rmtree(path, ignore_errors=True)
            total -= size


def _reason(told: Mapping[str, Any]) -> str | None:
    """Why what has run can't be found again: it hangs on something that has no content to compare."""
    if told["outside"]:
        return f"it asks {told['outside'][0]}, whose content is not known before it is asked"
    twice = sorted(set(told["opened"]) & set(told["written"]))
    return f"it reads and writes {Path(twice[0]).name}" if twice else None


def _named_files(notebook: Notebook, after: int) -> list[str]:
    """Files that the text of the cells names: some libraries read them without Python seeing it."""
    import ast

    from nbprod.notebook.parsed import nodes_below, syntax_tree

    folder = Path(notebook.path).resolve().parent
    found: dict[str, None] = {}
    for cell in notebook.cells[: after + 1]:
        if cell.fault is not None:
            continue
        for node in nodes_below(syntax_tree(cell.code)):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and 0 < len(text) < 256 and "\n" not in text and "\0" not in text:
                path = Path(folder, text)
                try:
                    if path.is_file():
                        found[str(path.absolute())] = None
                except OSError:
                    continue
    return list(found)


def _names_in(folder: str) -> str | None:
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names alone are wanted
        return _digest_of("\n".join(sorted(name for name in names if name[:1] != "." and name != "__pycache__")))
    except OSError:
        return None


def _digest_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _sweep(folder: Path) -> None:
    """Remove what killed runs have left unfinished: nobody writes an entry for a day."""
    for path in folder.glob(".new-*"):
        try:
            is_old = time.time() - path.stat().st_mtime > A_DAY
        except OSError:
            continue
        if is_old:
            shutil.rmtree(path, ignore_errors=True)
