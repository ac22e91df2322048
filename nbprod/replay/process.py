"""Has a runner answer a request, follows its progress, and turns its faults into errors at home."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import nbprod
from nbprod.errors import NbprodError, Where
from nbprod.replay.runners import LAUNCHER, Runner, Runners, Started

CODEC = Path(nbprod.__file__).parent / "codegen" / "runtime" / "codec.py"

OnProgress = Callable[[str, int, int], None]


def of_version(package_root: Path, name: str, version: str, captures: Path) -> dict[str, str]:
    """What each request says of the version that is asked about, and of where captures lie."""
    return {"root": str(package_root.resolve()), "name": name, "version": version, "captures": str(captures.resolve())}


def run(
    request: Mapping[str, Any],
    python: str,
    manifest: Mapping[str, Any],
    *,
    reads_in: Path | None = None,
    on_progress: OnProgress | None = None,
    timeout: float | None = None,
    runners: Runners | None = None,
) -> dict[str, Any]:
    """The runner's answer. Raises NbprodError where it could not give one, at the notebook's cell and line if known.

    The package reads further tables in `reads_in`, by default an empty folder. `runners` may have a process ready.
    """
    with closing(Started(python) if runners is None else runners.take(python)) as runner:
        result, asked = runner.folder / "result.json", runner.folder / "request.json"
        places = {"codec": str(CODEC), "result": str(result), "folder": str(reads_in or runner.folder)}
        places["launcher"] = LAUNCHER
        asked.write_text(json.dumps({**request, **places, "manifest": dict(manifest)}), encoding="utf-8")
        _follow(runner, asked, on_progress, timeout, manifest)
        try:
            answer: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError) as error:  # none, or one that broke off
            raise _crashed(runner.last_errors, manifest) from error
    if "fault" in answer:
        raise _faulty(answer["fault"], manifest, str(request["version"]))
    return answer


def _follow(
    runner: Runner,
    request: Path,
    on_progress: OnProgress | None,
    timeout: float | None,
    manifest: Mapping[str, Any],
) -> None:
    """Have the process answer, to its end."""
    reader = threading.Thread(target=_report, args=(runner.ask(request), on_progress), daemon=True)
    reader.start()
    try:
        reader.join(timeout)
        if reader.is_alive():
            raise NbprodError(
                f"the replay took longer than {timeout:g} s",
                code="replay-timeout",
                where=_notebook(manifest),
                hint="replay with the level quick, or allow more time",
            )
    finally:
        runner.end()
        reader.join()


def _report(lines: IO[bytes], on_progress: OnProgress | None) -> None:
    for line in lines:
        told = json.loads(line)
        if on_progress is not None:
            on_progress(told["what"], told["done"], told["total"])


def _notebook(manifest: Mapping[str, Any]) -> Where | None:
    notebook = manifest.get("notebook")
    return Where(str(notebook)) if notebook else None


def _crashed(errors: str, manifest: Mapping[str, Any]) -> NbprodError:
    last = (errors.strip().splitlines() or ["no message"])[-1]
    return NbprodError(
        f"the replay's process ended without an answer: {last}",
        code="replay-crashed",
        where=_notebook(manifest),
        hint="it may have run out of memory; the notebook's environment needs numpy, pandas and scikit-learn",
    )


def _faulty(fault: Mapping[str, Any], manifest: Mapping[str, Any], version: str) -> NbprodError:
    if fault["kind"] == "captures":
        return NbprodError(
            f"nothing to prove against: {fault['message']}",
            code="capture-missing",
            where=_notebook(manifest),
            hint="run the notebook again with the cells that read, train and predict",
        )
    for file, line in reversed(fault["places"]):
        place = place_of(manifest, file, line)
        if place is not None:
            cell, cell_id, cell_line = place
            at = f"in the package it is {version}/{file}, line {line}"
            return NbprodError(
                f"the exported package raised {fault['message']}",
                code="package-failed",
                where=Where(str(manifest.get("notebook", "")), cell, cell_id, cell_line),
                hint=f"{AS_LONG_AS_TRAINING}; {at}" if OTHER_LENGTH.search(fault["message"]) else at,
            )
    return NbprodError(
        f"the exported package raised {fault['message']}",
        code="package-failed",
        where=_notebook(manifest),
        hint=_way_out(fault["message"], version),
    )


OTHER_LENGTH = re.compile(r"Length of values \(\d+\) does not match|Columns must be same length|could not be broadcast")
"""What pandas and NumPy say of a column that is not as long as its table."""

AS_LONG_AS_TRAINING = (
    "what stands beside the rows there is as long as the training table, and a served row is one: "
    "make it of the rows, or leave it out of the features"
)


def _way_out(message: str, version: str) -> str:
    missing = re.match(r"ModuleNotFoundError: No module named '([^'.]+)", message)
    if missing is None:
        return f"look into the package's folder {version}"
    return (
        f"a package has to find {missing[1]} wherever it is used: install it in the kernel's environment, "
        "or move what is used of it into a cell"
    )


def place_of(manifest: Mapping[str, Any], file: str, line: int) -> tuple[int, str, int] | None:
    """(cell, cell id, line in the cell) for a line of a generated module: its entry, else the nearest above."""
    entries = [entry for entry in manifest.get("source_map", {}).get(file, []) if entry[0] <= line]
    if not entries:
        return None
    _, cell, cell_id, cell_line = max(entries, key=lambda entry: int(entry[0]))
    return int(cell), str(cell_id), int(cell_line)
