"""What `nbprod run` adds to the execution of a notebook, against `papermill` alone on the same notebook.

Each round runs, one after the other and in folders of their own, papermill, `nbprod run --no-verify` (which also
exports, captures, fits, tracks and registers) and `nbprod run` (which also replays). Printed are medians of wall and
CPU time, and wall time as a ratio to papermill.
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

EXAMPLES = Path(__file__).parents[1] / "examples"
BIN = Path(sys.executable).parent
PEER = "papermill"


class Sample(NamedTuple):
    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--examples", nargs="*", default=["titanic", "housing"])
    arguments = parser.parse_args()
    for example in arguments.examples:
        notebook = f"{example}.ipynb"
        run = [sys.executable, "-m", "nbprod", "--quiet", "run", notebook, "--auto"]
        commands = {
            PEER: [str(BIN / "papermill"), "--no-progress-bar", notebook, "executed.ipynb"],
            "nbprod run --no-verify": [*run, "--no-verify"],
            "nbprod run": run,
        }
        samples: dict[str, list[Sample]] = {name: [] for name in commands}
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                samples[name].append(measure(command, EXAMPLES / example))
        print(f"{example}, {arguments.rounds} interleaved rounds, {os.cpu_count()} cores")
        print(table(samples), end="\n\n")


def measure(command: Sequence[str], project: Path) -> Sample:
    """Seconds of wall time and of CPU time in a fresh copy of the project, children included."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(project, Path(folder, project.name))
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return Sample(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def table(samples: dict[str, list[Sample]]) -> str:
    peer = statistics.median(sample.wall for sample in samples[PEER])
    lines = [f"{'command':28}{'wall s':>8}{'best s':>8}{'cpu s':>8}{'of papermill':>15}"]
    for name, taken in samples.items():
        wall = statistics.median(sample.wall for sample in taken)
        cpu = statistics.median(sample.cpu for sample in taken)
        best = min(sample.wall for sample in taken)
        lines.append(f"{name:28}{wall:8.1f}{best:8.1f}{cpu:8.1f}{wall / peer:15.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
