"""What the server takes for a study after one cell of a large notebook was edited, from its bytes to the answer's.

    python benchmarks/study.py [--cells N] [--edits N]

A notebook is made up of reading a table, features, looks at the data, training and evaluation, with its outputs left
away as the front end does. Cells in three places are edited again and again, before and after an export. Printed are
CPU milliseconds by the place of the edit; the least is the nearest to an idle machine. The server is to answer within
60 ms.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from nbprod.api import answers, export_notebook, watch_notebook

HEAD = (
    "import pandas as pd\nimport numpy as np\nfrom sklearn.linear_model import LinearRegression\n"
    "from sklearn.model_selection import train_test_split",
    "df = pd.read_csv('rows.csv')",
)
TAIL = (
    "X = df.drop(columns=['y'])\ny = df['y']",
    "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
    "model = LinearRegression()\nmodel.fit(X_train, y_train)",
    "print(model.score(X_test, y_test))",
)
COLUMNS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--edits", type=int, default=20, help="edits in each place")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.ipynb")
        Path(folder, "rows.csv").write_text(table(), encoding="utf-8")
        sources = made_up(arguments.cells)
        started = time.process_time()
        answer = studied(str(path), document(sources))
        first = time.process_time() - started
        print(f"{len(sources)} cells, the first study {1000 * first:.0f} ms, {len(answer) / 1000:.0f} kB")
        show_edits(path, sources, arguments.edits)
        path.write_bytes(document(sources))
        export_notebook(str(path), output=f"{folder}/pipelines", auto=True)
        print("against an exported package:")
        show_edits(path, sources, arguments.edits)


def show_edits(path: Path, sources: list[str], count: int) -> None:
    """One line for each place of an edit."""
    for place, at in (("last", len(sources) - 2), ("middle", len(sources) // 2), ("first", 2)):
        taken = sorted(edited(str(path), sources, at, number) for number in range(count))
        middle, high = statistics.median(taken), taken[len(taken) * 9 // 10]
        print(f"{place:6} cell edited: best {taken[0]:.0f} ms, median {middle:.0f}, 90th percentile {high:.0f}")


def table() -> str:
    """A csv file with as many columns as the features take."""
    head = ",".join([*(f"c{number}" for number in range(COLUMNS)), "y"])
    return head + "\n" + "\n".join(",".join(str((row * k) % 7) for k in range(COLUMNS + 1)) for row in range(20))


def made_up(count: int) -> list[str]:
    """The cells: of those between, half make features and half look at the data."""
    cells = list(HEAD)
    for number in range(count - len(HEAD) - len(TAIL)):
        column = f"c{number % COLUMNS}"
        cells.append(
            (
                f"df['{column}'] = df['{column}'].fillna(df['{column}'].quantile({number / count}))",
                f"df[['{column}', 'y']].head({number})",
                f"df['f{number}'] = np.log1p(df['{column}'].abs()) * {number + 1}",
                f"print(df.groupby('{column}')['y'].mean() * {number})",
            )[number % 4]
        )
    return [*cells, *TAIL]


def document(sources: list[str]) -> bytes:
    """The notebook as the front end sends it."""
    cells = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "outputs": [], "execution_count": None, "source": text}
        for n, text in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content).encode()


def studied(path: str, content: bytes) -> bytes:
    """What the route does between the request's bytes and the answer's."""
    report: dict[str, Any] = watch_notebook(path, content.decode())
    return msgspec.json.encode(msgspec.convert(report, answers.Study))


def edited(path: str, sources: list[str], at: int, number: int) -> float:
    """CPU milliseconds of a study after the cell at `at` was edited."""
    content = document([*sources[:at], f"{sources[at]}\nedited = {number}", *sources[at + 1 :]])
    started = time.process_time()
    studied(path, content)
    return 1000 * (time.process_time() - started)


if __name__ == "__main__":
    main()
