"""What `nbprod run` adds to the execution of a notebook, against `papermill` alone on the same notebook.

    python benchmarks/run_overhead.py [--rounds N] [--projects titanic housing forest] [--seconds N]

The projects are both examples and a notebook that trains a forest for about `--seconds`. Each round runs, one after
the other and in folders of their own, papermill, `nbprod run --no-verify` (which also exports, captures, fits, tracks
and registers), `nbprod run` (which also replays), and the same where an earlier run has made the store of runs and
nothing is restored (`--no-cache`). Printed are medians of wall and CPU time, and wall time as a ratio to papermill. The
proof takes as long as the rows do, whatever the notebook takes.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cached_run import made_up, trees_for, write_notebook

EXAMPLES = Path(__file__).parents[1] / "examples"
BIN = Path(sys.executable).parent
PEER = "papermill"


class Sample(NamedTuple):
    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--projects", nargs="*", default=["titanic", "housing", "forest"])
    parser.add_argument("--seconds", type=float, default=30, help="how long the forest's training takes, about")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.projects:
            project = forest(Path(folder, name), arguments.seconds) if name == "forest" else EXAMPLES / name
            compare(project, arguments.rounds)


def forest(folder: Path, seconds: float) -> Path:
    """A project with a notebook whose training takes about that long."""
    folder.mkdir()
    table = made_up()
    table.to_csv(folder / "rows.csv", index=False)
    write_notebook(folder, trees_for(table, seconds))
    return folder


def compare(project: Path, rounds: int) -> None:
    """Run a project's notebook in each way, taking turns, and print what they take."""
    notebook = f"{project.name}.ipynb"
    run = [sys.executable, "-m", "nbprod", "--quiet", "run", notebook, "--auto"]
    fast = [*run, "--no-verify"]
    commands: dict[str, list[list[str]]] = {
        PEER: [[str(BIN / "papermill"), "--no-progress-bar", notebook, "executed.ipynb"]],
        "nbprod run --no-verify": [fast],
        "nbprod run": [run],
        "--no-verify, not the first": [fast, [*fast, "--no-cache"]],
        "nbprod run, not the first": [fast, [*run, "--no-cache"]],
    }
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, in_a_row in commands.items():
            samples[name].append(measure(in_a_row, project))
    print(f"{project.name}, {rounds} interleaved rounds, {os.cpu_count()} cores")
    print(table(samples), end="\n\n", flush=True)


def measure(commands: Sequence[Sequence[str]], project: Path) -> Sample:
    """Seconds of wall and CPU time of the last command, in a fresh copy of the project, children included."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(project, Path(folder, project.name))
        for command in commands:
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
            wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
            if done.returncode:
                sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return Sample(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def table(samples: dict[str, list[Sample]]) -> str:
    peer = statistics.median(sample.wall for sample in samples[PEER])
    lines = [f"{'command':28}{'wall s':>8}{'best s':>8}{'cpu s':>8}{'of papermill':>15}{'more s':>8}"]
    for name, taken in samples.items():
        wall = statistics.median(sample.wall for sample in taken)
        cpu = statistics.median(sample.cpu for sample in taken)
        best = min(sample.wall for sample in taken)
        lines.append(f"{name:28}{wall:8.1f}{best:8.1f}{cpu:8.1f}{wall / peer:15.2f}{wall - peer:8.1f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
