"""One row through the compiled form of a package, against the package's own code and the estimator alone.

    python benchmarks/rows.py [--rounds N] [--projects titanic ...] [--boosted lightgbm ...]

The examples are run (`nbprod run --no-verify`), and so are notebooks that train 100 boosted trees of a library on 50
features, behind the steps of a scikit-learn Pipeline. The compiled form is held against the package's own answers on
all rows that the notebook read before anything is measured. Each round asks each form for the same rows, in turn: the
module that the fit wrote, `predict_one` around it, `answer` with the contract, and the package's own code. `model
alone` is what `predict` of the model takes for one row of its matrix.
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

import numpy as np
import pandas as pd

from nbprod.replay.runner.compiler.compiling import proven

BOOSTED = {
    "scikit-learn": "from sklearn.ensemble import HistGradientBoostingRegressor as Boosted",
    "lightgbm": "from lightgbm import LGBMRegressor as Boosted",
    "xgboost": "from xgboost import XGBRegressor as Boosted",
}
"""Each trains 100 trees by default but XGBoost, which is told to."""

NOTEBOOK = """# %%
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
{imported}
# %%
df = pd.read_csv("data.csv")
# %%
numbers = [f"x{{place}}" for place in range(44)]
X, y = df[numbers + ["u", "v"]], df["y"]
# %%
steps = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), numbers), (OneHotEncoder(), ["u", "v"])
)
model = make_pipeline(steps, Boosted({settings}))
model.fit(X, y)
# %%
predicted = model.predict(X)
"""

EXAMPLES = Path(__file__).parents[1] / "examples"
ROWS = 50
UNITS = 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--projects", nargs="*", default=["titanic", "housing"])
    parser.add_argument("--boosted", nargs="*", default=list(BOOSTED), choices=BOOSTED)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.projects:
            project = Path(shutil.copytree(EXAMPLES / name, Path(folder, name)))
            name = tomllib.loads((project / "demo.toml").read_text())["name"]
            compare(project, f"{name}.ipynb", arguments.rounds)
        for library in arguments.boosted:
            compare(*boosted(Path(folder), library), arguments.rounds)


def boosted(folder: Path, library: str) -> tuple[Path, str]:
    """A project whose notebook trains boosted trees of a library on 50 features: its folder and its notebook."""
    name = f"boosted_by_{library.replace('-', '_')}"
    project = folder / name
    project.mkdir()
    draw = np.random.default_rng(0)
    numbers = draw.normal(size=(5_000, 44))
    frame = pd.DataFrame(numbers, columns=[f"x{place}" for place in range(44)])
    frame = frame.mask(draw.random(frame.shape) < 0.02)
    frame["u"], frame["v"] = draw.choice(["a", "b", "c"], 5_000), draw.choice(["d", "e", "f"], 5_000)
    waves = 2 * numbers[:, 0] + np.sin(3 * numbers[:, 1]) + numbers[:, 2] * numbers[:, 3] + numbers.sum(axis=1) / 9
    frame["y"] = waves + (frame["u"] == "a") + draw.normal(size=5_000)
    frame.to_csv(project / "data.csv", index=False)
    settings = "n_estimators=100" if library == "xgboost" else ""
    (project / f"{name}.py").write_text(NOTEBOOK.format(imported=BOOSTED[library], settings=settings))
    return project, f"{name}.py"


def compare(project: Path, notebook: str, rounds: int) -> None:
    """Run a project's notebook, prove its compiled form, and print what a row takes in each form."""
    name = Path(notebook).stem
    command = [sys.executable, "-m", "nbprod", "run", notebook, "--auto", "--no-verify", "--quiet"]
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
        best_of = f"{median * UNITS:>12.1f} us median{min(each) * UNITS:>12.1f} best"
        print(f"{form:<24}{best_of}{min(each) / best:>12.0f} x compiled")


def loaded(project: Path, name: str) -> tuple[Any, list[dict[str, Any]], Any]:
    """The fitted pipeline, and the rows that the notebook read as records and as a table."""
    sys.path.insert(0, str(project / "pipelines"))
    pipeline, codec, observing = (
        importlib.import_module(f"{name}.v0001.runtime.{each}") for each in ("pipeline", "codec", "observing")
    )
    (captures,) = (project / ".nbprod" / "runs").glob("*/captures")
    raw = json.loads((captures / "index.json").read_text())["raw"][0]
    frame = codec.load(captures, raw["stem"])["frame"]
    return pipeline.Pipeline.load(project / "pipelines" / name / "v0001"), observing.records_of(frame), frame


def timed(ask: Callable[[Any], Any], rows: Sequence[Any]) -> float:
    """Seconds a row, of the thread that asks: on a machine with others at work the clock tells how long one waits."""
    began = time.thread_time()
    for row in rows:
        ask(row)
    return (time.thread_time() - began) / len(rows)


if __name__ == "__main__":
    main()
