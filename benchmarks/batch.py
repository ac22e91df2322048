"""A file scored by the exported package, with one process and with several, against the notebook's own pandas code.

    python benchmarks/batch.py [--rows N] [--rounds N] [--jobs N]

The examples are run (`nbprod run --no-verify`), and rows of their data are repeated to a csv file of N rows. The
notebook's own code is the feature code that was extracted from it, on the whole table at once and with what it has
learned at hand, then `predict` of its model, `read_csv` before and `to_csv` behind: no contract, no pieces, no flags.
Each way is a process of its own, in interleaved rounds; the time begins when the package is loaded there, and has the
start of further processes in it. Peak memory is that of the first process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import tomllib
from itertools import cycle, islice
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
ROWS = {"titanic": "test.csv", "housing": "housing.csv"}
OWN = """
import resource, sys, time, importlib, json, warnings
warnings.simplefilter("ignore")
root, name, source, target = sys.argv[1:]
sys.path[0] = root
import pandas as pd
pipeline = importlib.import_module(name).load()
features, learned = type(pipeline.features), pipeline.features.learned_
began = time.perf_counter()
frame = pd.read_csv(source, **pipeline.contract.read.get("kwargs", {}))
shown = frame.copy()
for column in pipeline.features.target_columns:
    if column not in frame:
        frame[column] = pipeline.features.stand_in_[column].iloc[0]
matrix, _ = features.prepare(frame, learned.replay())
shown.assign(prediction=pipeline.model.predict(matrix)).to_csv(target, index=False)
print(json.dumps([time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
SCORE = """
import resource, sys, time, importlib, json, warnings
warnings.simplefilter("ignore")
root, name, source, target, jobs = sys.argv[1:]
sys.path[0] = root
import pandas as pd
pipeline = importlib.import_module(name).load()
module = importlib.import_module(f"{name}.v0001.runtime.score")
began = time.perf_counter()
module.score_file(pipeline, source, target, jobs=int(jobs))
print(json.dumps([time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in ROWS:
            project = Path(shutil.copytree(EXAMPLES / name, Path(folder, name)))
            compare(project, arguments.rows, arguments.rounds, arguments.jobs)


def compare(project: Path, rows: int, rounds: int, jobs: int) -> None:
    """Run a project, score a long file in each way, and print rows a second."""
    name = tomllib.loads((project / "demo.toml").read_text())["name"]
    command = [sys.executable, "-m", "nbprod", "run", f"{name}.ipynb", "--auto", "--no-verify", "--quiet"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    lengthen(project / "data" / ROWS[name], project / "rows.csv", rows)
    root = str(project / "pipelines")
    ways = {
        "the notebook's own code": [OWN, root, name, "rows.csv", "own.csv"],
        "score, 1 process": [SCORE, root, name, "rows.csv", "one.csv", "1"],
        f"score, {jobs} processes": [SCORE, root, name, "rows.csv", "several.csv", str(jobs)],
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    memory: dict[str, float] = {}
    for _ in range(rounds):
        for way, words in ways.items():
            done = subprocess.run(
                [sys.executable, "-c", *words], cwd=project, check=True, stdout=subprocess.PIPE, text=True
            )
            taken, memory[way] = json.loads(done.stdout.splitlines()[-1])
            seconds[way].append(taken)
    assert (project / "one.csv").read_bytes() == (project / "several.csv").read_bytes()
    own = statistics.median(seconds["the notebook's own code"])
    print(f"{name}: {rows:,} rows, {rounds} interleaved rounds, {os.cpu_count()} cores")
    for way, taken in seconds.items():
        median = statistics.median(taken)
        print(f"{way:26}{rows / median:10,.0f} rows/s{own / median:7.2f} x the notebook's{memory[way]:7.0f} MiB")


def lengthen(source: Path, target: Path, rows: int) -> None:
    """The rows of a csv file, each on a line, over and over."""
    header, *lines = source.read_text().splitlines(keepends=True)
    lines[-1] = lines[-1].rstrip("\n") + "\n"
    with target.open("w") as file:
        file.write(header)
        file.writelines(islice(cycle(lines), rows))


if __name__ == "__main__":
    main()
