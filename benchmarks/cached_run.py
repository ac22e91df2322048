"""A run of which nothing has changed, against the first one, and against ploomber's incremental build.

    python benchmarks/cached_run.py [--seconds N]

The notebook reads a made-up table, prepares features, trains a forest for about `--seconds`, and evaluates it. It runs
with `nbprod run`, again as it is, again with another plot, again with another evaluation, and, where ploomber is
installed (the Python in PLOOMBER, or this one), as four ploomber tasks built twice. Printed are wall seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

ROWS = 20_000
METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
IMPORTS = (
    "import matplotlib.pyplot as plt\nimport pandas as pd\nfrom sklearn.ensemble import RandomForestClassifier\n"
    "from sklearn.metrics import accuracy_score\nfrom sklearn.model_selection import train_test_split"
)
DATA = "df = pd.read_csv('rows.csv')"
PLOT = "df['a'].plot.hist(bins=20)\nplt.show()"
FEATURES = (
    "df['a'] = df['a'].fillna(df['a'].median())\n"
    "X, X_test, y, y_test = train_test_split(df.drop(columns='y'), df['y'], random_state=0)"
)
TRAIN = "model = RandomForestClassifier(n_estimators={trees}, random_state=0)\nmodel.fit(X, y)"
EVALUATE = "accuracy = accuracy_score(y_test, model.predict(X_test))\nprint(accuracy)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long the training takes, about")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = made_up()
        table.to_csv(folder / "rows.csv", index=False)
        trees = trees_for(table, arguments.seconds)
        print(f"{ROWS} rows, {trees} trees, {os.cpu_count()} cores")
        first = show("nbprod run, the first", run_notebook(folder, trees))
        again = show("nbprod run, nothing changed", run_notebook(folder, trees))
        show("nbprod run, another plot", run_notebook(folder, trees, plot=PLOT.replace("20", "30")))
        show(
            "nbprod run, another evaluation", run_notebook(folder, trees, evaluate=EVALUATE + "\nworse = 1 - accuracy")
        )
        print(f"first : nothing changed = {first / again:.1f}")
        python = os.environ.get("PLOOMBER", sys.executable)
        if subprocess.run([python, "-c", "import ploomber"], capture_output=True, check=False).returncode:
            print("ploomber is not installed")
            return
        write_tasks(folder / "ploomber", trees)
        shutil.copyfile(folder / "rows.csv", folder / "ploomber" / "rows.csv")
        build = [str(Path(python).with_name("ploomber")), "build"]
        first = show("ploomber build, the first", timed(build, folder / "ploomber"))
        again = show("ploomber build, nothing changed", timed(build, folder / "ploomber"))
        print(f"first : nothing changed = {first / again:.1f}")


def made_up() -> pd.DataFrame:
    """A table with some missing values, and labels that hang on three of its columns."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(ROWS, 12)), columns=list("abcdefghijkl"))
    table["y"] = (table["a"] + table["b"] * table["c"] + random.normal(size=ROWS) > 0).astype(int)
    table.loc[random.random(ROWS) < 0.1, "a"] = np.nan
    return table


def trees_for(table: pd.DataFrame, seconds: float) -> int:
    """How many trees take about that long here."""
    start = time.perf_counter()
    RandomForestClassifier(n_estimators=10, random_state=0).fit(table.drop(columns="y").fillna(0), table["y"])
    return max(10, round(10 * seconds / (time.perf_counter() - start)))


def run_notebook(folder: Path, trees: int, plot: str = PLOT, evaluate: str = EVALUATE) -> float:
    write_notebook(folder, trees, plot, evaluate)
    return timed([sys.executable, "-m", "nbprod", "--quiet", "run", "forest.ipynb"], folder)


def write_notebook(folder: Path, trees: int, plot: str = PLOT, evaluate: str = EVALUATE) -> None:
    cells = [(IMPORTS, None), (DATA, "data"), (plot, "explore"), (FEATURES, "features")]
    cells += [(TRAIN.format(trees=trees), "train"), (evaluate, "evaluate")]
    made = [
        nbformat.v4.new_code_cell(text, id=f"cell-{n}", metadata={"tags": [role] if role else []})
        for n, (text, role) in enumerate(cells)
    ]
    (folder / "forest.ipynb").write_text(
        nbformat.writes(nbformat.v4.new_notebook(cells=made, metadata=METADATA)), encoding="utf-8"
    )


def write_tasks(folder: Path, trees: int) -> None:
    """The same work as four ploomber tasks, which hand pickles on."""
    folder.mkdir()
    head = "# + tags=['parameters']\nupstream = None\nproduct = None\n# +\nimport pickle\n" + IMPORTS + "\n"
    read = "objects = pickle.load(open(upstream['{}']['data'], 'rb'))\nglobals().update(objects)\n"
    save = "\nkept = {{name: globals()[name] for name in {}}}\npickle.dump(kept, open(product['data'], 'wb'))\n"
    stages = [
        ("data", None, DATA, ["df"]),
        ("features", "data", FEATURES, ["X", "X_test", "y", "y_test"]),
        ("train", "features", TRAIN.format(trees=trees), ["model", "X_test", "y_test"]),
        ("evaluate", "train", EVALUATE, ["accuracy"]),
    ]
    tasks = []
    for name, before, text, names in stages:
        start = head.replace("upstream = None", f"upstream = {[before] if before else None}")
        (folder / f"{name}.py").write_text(start + (read.format(before) if before else "") + text + save.format(names))
        product = {"nb": f"out/{name}.ipynb", "data": f"out/{name}.pickle"}
        tasks.append({"source": f"{name}.py", "product": product, "static_analysis": "disable"})
    (folder / "pipeline.yaml").write_text(json.dumps({"tasks": tasks}), encoding="utf-8")


def timed(command: Sequence[str], folder: Path) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start


def show(name: str, seconds: float) -> float:
    print(f"{name:36}{seconds:8.1f}", flush=True)
    return seconds


if __name__ == "__main__":
    main()
