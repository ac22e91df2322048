"""How far `nbprod run --auto` gets with notebooks: proven, observed, refused, or why the notebook does not run.

Give it folders with notebooks and their data, such as clones of public repositories; without, it takes the examples.
Each folder is copied for each of its notebooks, so that nothing is written into it. Printed is a table in Markdown with
a line for each notebook, and a count.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nbprod.api.one_row import one_row_text

EXAMPLES = Path(__file__).parents[1] / "examples"
LEFT_OUT = shutil.ignore_patterns(".git", ".ipynb_checkpoints", ".nbprod", "pipelines")


class Line(NamedTuple):
    notebook: str
    result: str
    rows: str
    predictions: str
    seconds: float
    reason: str
    one_row: Mapping[str, Any] | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, default=[EXAMPLES], help="folders with notebooks and data")
    parser.add_argument("--kernel", help="the kernel to run in (default: each notebook's own)")
    parser.add_argument("--seconds", type=float, default=300, help="the longest that one notebook may take")
    parser.add_argument("--only", type=Path, help="a file with the notebooks to run, relative to the folders' parent")
    arguments = parser.parse_args()
    wanted = None if arguments.only is None else set(arguments.only.read_text(encoding="utf-8").splitlines())
    print("| notebook | result | rows | predictions | one row | seconds | what stands in the way |")
    print("|---|---|---|---|---|---|---|")
    counts: Counter[str] = Counter()
    fitted: list[Mapping[str, Any]] = []
    for folder, notebook in notebooks(arguments.folders):
        name = str(Path(folder.name) / notebook)
        if wanted is not None and name not in wanted:
            continue
        line = tried(folder, notebook, arguments.kernel, arguments.seconds)
        counts[line.result] += 1
        fitted += [line.one_row] if line.one_row else []
        alone = one_row_text(line.one_row) if line.one_row else ""
        cells = (name, line.result, line.rows, line.predictions, alone, f"{line.seconds:.0f}", line.reason)
        print("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |", flush=True)
    print("\n" + ", ".join(f"{count} {result}" for result, count in counts.most_common()))
    features, made = (sum(each[key] for each in fitted) for key in ("features", "compiled"))
    whole = sum(one_row_text(each).startswith("without") for each in fitted)
    print(f"{made} of {features} features compiled; {whole} of {len(fitted)} packages answer one row without pandas")


def notebooks(folders: list[Path]) -> Iterator[tuple[Path, Path]]:
    """Each folder with each of its notebooks, relative to it."""
    for folder in folders:
        for path in sorted(folder.resolve().rglob("*.ipynb")):
            if ".ipynb_checkpoints" not in path.parts:
                yield folder.resolve(), path.relative_to(folder.resolve())


def tried(folder: Path, notebook: Path, kernel: str | None, seconds: float) -> Line:
    """One notebook, run in a copy of its folder."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch, "folder")
        shutil.copytree(folder, place, ignore=LEFT_OUT, symlinks=True)
        command = [sys.executable, "-m", "nbprod", "run", notebook.name, "--auto", "--format", "jsonl", "--quiet"]
        command += ["--output", str(Path(scratch, "pipelines")), *([] if kernel is None else ["--kernel", kernel])]
        started = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=place / notebook.parent, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return Line(str(notebook), "out of time", "", "", seconds, f"more than {seconds:.0f} s")
        return told(str(notebook), done, time.monotonic() - started)


def told(notebook: str, done: subprocess.CompletedProcess[str], seconds: float) -> Line:
    """What a run said, in one line."""
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return Line(notebook, "no answer", "", "", seconds, (done.stderr.strip().splitlines() or [""])[-1])
    proof = report.get("verify")
    if proof:
        rows = f"{proof['rows_equal']}/{proof['rows']}"
        predictions = f"{proof['predictions_equal']}/{proof['predictions']}"
        failed = [check["name"] for check in proof["checks"] if not check["passed"]]
        if failed:
            failed += [each["rule"] for each in report["findings"] if each["rule"] == "divergent-test-path"][:1]
        return Line(notebook, proof["status"], rows, predictions, seconds, ", ".join(failed), report["one_row"])
    if report.get("refusals"):
        reasons = (f"`{each['construct']}` in cell {each['cell']}, line {each['line']}" for each in report["refusals"])
        return Line(notebook, "refused", "", "", seconds, "; ".join(reasons))
    error = report.get("error") or {}
    return Line(notebook, str(error.get("code", "no answer")), "", "", seconds, str(error.get("message", "")))


if __name__ == "__main__":
    main()
