"""One row through the compiled form of a package, against the package's own code and the estimator alone.

    python benchmarks/rows.py [--rounds N]

The examples are run (`nbprod run --no-verify`), and the compiled form is held against the package's own answers on
all rows that the notebook read before anything is measured. Each round asks each form for the same rows, in turn: the
module that the fit wrote, `predict_one` around it, `answer` with the contract, and the package's own code. `model
alone` is what `predict` of the estimator takes for one row of its matrix.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nbprod.replay.runner.compiler.compiling import proven

EXAMPLES = Path(__file__).parents[1] / "examples"
ROWS = 50
UNITS = 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--projects", nargs="*", default=["titanic", "housing"])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.projects:
            compare(Path(shutil.copytree(EXAMPLES / name, Path(folder, name))), arguments.rounds)


def compare(project: Path, rounds: int) -> None:
    """Run a project, prove its compiled form, and print what a row takes in each form."""
    name = tomllib.loads((project / "demo.toml").read_text())["name"]
    command = [sys.executable, "-m", "nbprod", "run", f"{name}.ipynb", "--auto", "--no-verify", "--quiet"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    pipeline, records, frame = loaded(project, name)
    matrix, answers = pipeline.features.model_input(frame), pipeline.predict(frame).tolist()
    proof = proven(pipeline.rows, pipeline.features.output_names_, records, matrix, answers)
    assert proof.wrong is None, proof
    row = matrix.iloc[:1] if hasattr(matrix, "iloc") else matrix[:1]
    forms: dict[str, tuple[Callable[[Any], Any], Sequence[Any]]] = {
        "compiled": (pipeline.rows.predict, records[: 20 * ROWS]),
        "predict_one": (pipeline.predict_one, records[: 20 * ROWS]),
        "with the contract held": (lambda record: pipeline.answer([record]), records[: 20 * ROWS]),
        "package's own code": (lambda record: pipeline.predict_together([record]), records[:ROWS]),
        "model alone": (pipeline.model.predict, [row] * ROWS),
    }
    seconds: dict[str, list[float]] = {form: [] for form in forms}
    for _ in range(rounds):
        for form, (ask, rows) in forms.items():
            seconds[form].append(timed(ask, rows))
    print(f"\n{name}: {proof.rows} rows equal, of which {proof.odd} are left to the package's own code")
    best = min(seconds["compiled"])
    for form, each in seconds.items():
        median = statistics.median(each)
        print(f"{form:<24}{median * UNITS:>12.1f} us median{min(each) / best:>12.0f} x compiled")


def loaded(project: Path, name: str) -> tuple[Any, list[dict[str, Any]], Any]:
    """The fitted pipeline, and the rows that the notebook read as records and as a table."""
    sys.path.insert(0, str(project / "pipelines"))
    pipeline, codec, observing = (
        importlib.import_module(f"{name}.v0001.{each}") for each in ("pipeline", "codec", "observing")
    )
    (captures,) = (project / ".nbprod" / "runs").glob("*/captures")
    raw = json.loads((captures / "index.json").read_text())["raw"][0]
    frame = codec.load(captures, raw["stem"])["frame"]
    return pipeline.Pipeline.load(project / "pipelines" / name / "v0001"), observing.records_of(frame), frame


def timed(ask: Callable[[Any], Any], rows: Sequence[Any]) -> float:
    """Seconds a row."""
    began = time.perf_counter()
    for row in rows:
        ask(row)
    return (time.perf_counter() - began) / len(rows)


if __name__ == "__main__":
    main()
