"""How often monitoring finds faults that were planted, and how often it alerts where there is none.

    python benchmarks/drift.py [--trials N] [--rows N] [--table titanic|housing]

Real data: the examples' tables. Each trial cuts the rows in two at random: the first part is the training (its
baseline), from the second, which is held back, the served rows are drawn. With nothing planted an alert is a false one.
Then one fault at a time is planted in one column: the mean moved by half a standard deviation, 5 % of a new category,
20 % more missing, values times 1,000, one value for all rows. A fault counts as found where its own signal alerts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbprod.codegen.runtime.baseline import columns_of
from nbprod.codegen.runtime.contract import Contract
from nbprod.codegen.runtime.observing import observe, records_of
from nbprod.codegen.runtime.sketch import Sketch
from nbprod.config import PipelineConfig
from nbprod.monitoring import Seen, compare

EXAMPLES = Path(__file__).parents[1] / "examples"
TABLES = {
    "titanic": ("titanic/data/train.csv", "Survived", ("Age", "Fare"), "Embarked"),
    "housing": ("housing/data/housing.csv", "median_house_value", ("median_income", "population"), "ocean_proximity"),
}
Fault = Callable[[pd.DataFrame, str, np.random.Generator], pd.DataFrame]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--table", choices=TABLES, nargs="*", default=list(TABLES))
    arguments = parser.parse_args()
    for name in arguments.table:
        measure(name, arguments.trials, arguments.rows)


def measure(name: str, trials: int, rows: int) -> None:
    """Print the rates of a table."""
    path, target, numbers, category = TABLES[name]
    table = pd.read_csv(EXAMPLES / path)
    planted: list[tuple[str, str, str, Fault | None]] = [("nothing planted (false alarms)", "", "", None)]
    for column in numbers:
        planted += [
            (f"{column}: mean + 0.5 sd", column, "drift", shifted),
            (f"{column}: 20 % missing", column, "missing", emptied),
            (f"{column}: times 1,000", column, "range", in_another_unit),
            (f"{column}: one value", column, "dead", dead),
        ]
    planted += [(f"{category}: 5 % of a new category", category, "unseen", renamed)]
    found = dict.fromkeys([title for title, *_ in planted], 0)
    started = time.perf_counter()
    for trial in range(trials):
        random = np.random.default_rng([7, trial])
        baseline, held_back = cut(table, target, random)
        n = min(rows, len(held_back))
        for title, column, what, fault in planted:
            served = held_back.iloc[random.choice(len(held_back), n, replace=False)]
            served = served if fault is None else fault(served.copy(), column, random)
            alerts = {(each.feature, each.what) for each in looked_at(baseline, served) if each.alert}
            found[title] += bool(alerts) if fault is None else (column, what) in alerts
    took = (time.perf_counter() - started) / (trials * len(planted))
    size = f"{len(table) - len(held_back):,} training rows, {n:,} served"
    print(f"{name}: {size}, {trials} trials, {took * 1000:.0f} ms a report")
    for title, times in found.items():
        print(f"  {title:38} {times / trials:7.1%}")


def cut(table: pd.DataFrame, target: str, random: np.random.Generator) -> tuple[dict[str, Any], pd.DataFrame]:
    """The baseline of one half of the rows, and the other half."""
    order = random.permutation(len(table))
    training, held_back = table.iloc[order[: len(table) // 2]], table.iloc[order[len(table) // 2 :]]
    names = [str(label) for label in table.columns if label != target]
    contract = Contract.from_parts({"columns": [{"name": name} for name in names]}, observe(training))
    return {"rows": len(training), "columns": columns_of(contract, training), "prediction": None}, held_back


def looked_at(baseline: dict[str, Any], served: pd.DataFrame) -> Any:
    sketch = Sketch(baseline)
    for record in records_of(served):
        sketch.add(record)
    return compare(baseline, Seen(sketch.counts()), PipelineConfig())


def shifted(served: pd.DataFrame, column: str, _: np.random.Generator) -> pd.DataFrame:
    return served.assign(**{column: served[column] + 0.5 * served[column].std()})


def emptied(served: pd.DataFrame, column: str, random: np.random.Generator) -> pd.DataFrame:
    return served.assign(**{column: served[column].mask(random.random(len(served)) < 0.2)})


def in_another_unit(served: pd.DataFrame, column: str, _: np.random.Generator) -> pd.DataFrame:
    return served.assign(**{column: served[column] * 1000})


def dead(served: pd.DataFrame, column: str, _: np.random.Generator) -> pd.DataFrame:
    return served.assign(**{column: served[column].median()})


def renamed(served: pd.DataFrame, column: str, random: np.random.Generator) -> pd.DataFrame:
    return served.assign(**{column: served[column].mask(random.random(len(served)) < 0.05, "NEW")})


if __name__ == "__main__":
    main()
