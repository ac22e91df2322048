"""Start-up of the command line: `nbprod --help` and `nbprod inspect` against `jupyter nbconvert --to script`.

Each command runs as a process of its own on the same notebook of 40 code cells, in interleaved rounds, so that a busy
machine slows all of them alike. Printed are medians of wall and CPU time, and wall time as a ratio to nbconvert.
"""

from __future__ import annotations

import argparse
import json
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

EXAMPLE = Path(__file__).parents[1] / "examples" / "housing" / "housing.ipynb"
BIN = Path(sys.executable).parent
INSTALLED = shutil.which("nbprod", path=str(BIN))
NBPROD = [INSTALLED] if INSTALLED else [sys.executable, "-m", "nbprod"]
CELLS = 40
PEER = "jupyter nbconvert --to script"


class Sample(NamedTuple):
    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11, help="rounds that count, after one that warms up")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        notebook = long_notebook(Path(folder))
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "nbprod --help": [*NBPROD, "--help"],
            f"nbprod inspect ({CELLS} cells)": [*NBPROD, "inspect", str(notebook)],
            PEER: [str(BIN / "jupyter"), "nbconvert", "--to", "script", "--stdout", str(notebook)],
        }
        samples = interleaved(commands, arguments.rounds, Path(folder))
    print(table(samples, arguments.rounds))


def long_notebook(folder: Path) -> Path:
    """The housing example with looks at the data appended, up to 40 code cells."""
    notebook = json.loads(EXAMPLE.read_text())
    code = sum(cell["cell_type"] == "code" for cell in notebook["cells"])
    for number in range(code, CELLS):
        notebook["cells"].append(
            {
                "cell_type": "code",
                "execution_count": number + 1,
                "id": f"look-{number}",
                "metadata": {},
                "outputs": [],
                "source": [f"housing.sample(100, random_state={number}).describe()"],
            }
        )
    path = folder / "long.ipynb"
    path.write_text(json.dumps(notebook, indent=1))
    return path


def interleaved(commands: dict[str, list[str]], rounds: int, folder: Path) -> dict[str, list[Sample]]:
    """Samples for each command: every round runs every command once; the first round is not counted."""
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            sample = measure(command, folder)
            if turn:
                samples[name].append(sample)
    return samples


def measure(command: Sequence[str], folder: Path) -> Sample:
    """Seconds of wall time and of CPU time that one process took, with its children."""
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # bytecode is kept, as after an ordinary installation
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return Sample(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def table(samples: dict[str, list[Sample]], rounds: int) -> str:
    peer = statistics.median(sample.wall for sample in samples[PEER])
    lines = [
        f"{rounds} interleaved rounds, median milliseconds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        f"{'command':34}{'wall':>8}{'best':>8}{'cpu':>8}{'of nbconvert':>15}",
    ]
    for name, taken in samples.items():
        wall = statistics.median(sample.wall for sample in taken)
        best = min(sample.wall for sample in taken)
        cpu = statistics.median(sample.cpu for sample in taken)
        lines.append(f"{name:34}{wall * 1000:8.0f}{best * 1000:8.0f}{cpu * 1000:8.0f}{wall / peer:15.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
