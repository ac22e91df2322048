"""A package fitted on parts of its rows: equal to a fit in memory, or refused with cell and line."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

import nbprod
from tests.codegen.runtime.sample import FEATURES, assemble, frame, imported

pytest.importorskip("pyarrow")
ROOT = Path(__file__).parents[3]
EXAMPLES = {
    "titanic": ("titanic.ipynb", "data/train.csv", 4500),
    "housing": ("housing.ipynb", "data/housing.csv", 30000),
}


class Example(NamedTuple):
    root: Path
    name: str
    rows: pd.DataFrame
    parts: Path

    def module(self, name: str) -> Any:
        return importlib.import_module(f"{self.name}.v0001.{name}")


def write_parts(rows: pd.DataFrame, folder: Path, ends: list[int]) -> None:
    """Parts that end at these rows; in every other one the columns stand the other way round."""
    folder.mkdir()
    for number, (start, end) in enumerate(zip([0, *ends], [*ends, len(rows)], strict=True)):
        part = rows.iloc[start:end, :: 1 if number % 2 == 0 else -1]
        part.to_parquet(folder / f"p{number}.parquet", index=False)


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The package of an example, not fitted; its rows, multiplied and with other decimals, as parts of any lengths."""
    notebook, data, count = EXAMPLES[request.param]
    root = tmp_path_factory.mktemp(request.param)
    words = [sys.executable, "-m", "nbprod", "export", notebook, "--auto", "-o", str(root), "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(Path(nbprod.__file__).parents[1])}
    subprocess.run(words, cwd=ROOT / "examples" / request.param, env=environment, check=True, capture_output=True)
    raw = pd.read_csv(ROOT / "examples" / request.param / data)
    rows = pd.concat([raw] * (count // len(raw) + 1), ignore_index=True).iloc[:count]
    random = np.random.default_rng(0)
    for column in rows.select_dtypes("float"):
        rows[column] = rows[column] * (1 + 1e-6 * random.random(count))
    write_parts(rows, root / "parts", [count // 7, count // 7 + 1, count // 2])
    with imported(root, request.param):
        yield Example(root, request.param, rows, root / "parts")


def test_an_example_fitted_on_parts_is_that_fitted_in_memory(example: Example, tmp_path: Path) -> None:
    module = example.module("runtime.reducing")

    told = module.fit_package(module.on_this_machine(sorted(example.parts.iterdir())), tmp_path / "out")

    whole = example.module("train").train(example.rows)
    made = example.module("runtime.pipeline").Pipeline.load(tmp_path / "out" / example.name / "v0001")
    assert told["rows"] == len(example.rows)
    same_values(made.features.learned_.values, whole.features.learned_.values)
    assert made.contract.to_json() == whole.contract.to_json()
    some = example.rows.iloc[::7]
    # lbfgs stops within a tolerance of its own: other last digits of its input end elsewhere within it
    answers = (
        each.predict_proba(some) if hasattr(each.model, "predict_proba") else each.predict(some)
        for each in (made, whole)
    )
    np.testing.assert_allclose(*answers, rtol=1e-9, atol=1e-2)
    np.testing.assert_allclose(
        made.transform(some).to_numpy(dtype=float), whole.transform(some).to_numpy(dtype=float), rtol=1e-9, atol=1e-12
    )


def same_values(made: dict[str, Any], expected: dict[str, Any]) -> None:
    """Counts, extremes, categories and order statistics to the bit, means and variances but for the last digits."""
    assert made.keys() == expected.keys()
    for name, by_key in expected.items():
        assert made[name].keys() == by_key.keys()
        for key, values in by_key.items():
            for one, other in zip(made[name][key], values, strict=True):
                if hasattr(other, "get_params"):
                    for attribute, part in vars(other).items():
                        mine = getattr(one, attribute)
                        if isinstance(part, np.ndarray) and part.dtype.kind == "f":
                            np.testing.assert_allclose(mine, part, rtol=1e-11, err_msg=f"{name}.{attribute}")
                        else:
                            listed = [pd.Series(np.ravel(each), dtype=object) for each in (mine, part)]
                            assert listed[0].equals(listed[1]), (name, attribute)
                else:
                    listed = [list(each) if isinstance(each, pd.Index) else each for each in (one, other)]
                    assert listed[0] == listed[1], name


def test_the_command_fits_and_what_it_makes_answers_alone(example: Example, tmp_path: Path) -> None:
    start = "import runpy, sys; sys.path[0] = sys.argv.pop(1); runpy.run_module(sys.argv.pop(1), run_name='__main__')"

    def run(root: Path, *words: str) -> str:
        command = [sys.executable, "-c", start, str(root), example.name, *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    said = run(example.root, "fit", str(example.parts), "fitted", "--sample", "1500")
    assert f"of {len(example.rows):,} rows: fitted/{example.name}" in said
    example.rows.iloc[:20].to_csv(tmp_path / "rows.csv", index=False)
    assert "20 rows scored" in run(tmp_path / "fitted", "score", "rows.csv", "scored.csv")


MERGEABLE = FEATURES.replace("make_pipeline(StandardScaler(), Clip(), FunctionTransformer(np.abs))", "StandardScaler()")
STEPS = [
    {"binding": "row", "cell": 4, "line": 1, "code": "pass", "sites": [
        {"name": name, "cell": 4, "line": line, "expression": name}
        for line, name in enumerate(("area_median", "mode", "counts", "le", "steps"), 2)
    ]}
]  # fmt: skip


def fit_houses(root: Path, text: str, steps: list[dict[str, Any]], rows: pd.DataFrame) -> tuple[Any, Any]:
    """Houses with this feature code, fitted on parts; returns the pipeline and that of a fit in memory."""
    version = assemble(root, "houses_on_parts")
    (version / "features.py").write_text(text, encoding="utf-8")
    (version / "manifest.json").write_text(json.dumps({"steps": steps, "definitions": []}))
    write_parts(rows, root / "parts", [40, 41, 200])
    with imported(root, "houses_on_parts") as package:
        module = importlib.import_module("houses_on_parts.v0001.runtime.reducing")
        module.fit_package(module.on_this_machine(sorted((root / "parts").iterdir())), root / "out")
        made = importlib.import_module("houses_on_parts.v0001.runtime.pipeline").Pipeline.load(
            root / "out" / "houses_on_parts" / "v0001"
        )
        return made, package.train(rows)


def test_modes_counts_encoders_and_a_split_are_those_of_all_rows(tmp_path: Path) -> None:
    made, whole = fit_houses(tmp_path, MERGEABLE, STEPS, frame(400))

    for name in ("area_median", "mode", "le"):
        same_values({name: made.features.learned_.values[name]}, {name: whole.features.learned_.values[name]})
    counts, expected = (each.features.learned_.values["counts"][None][0] for each in (made, whole))
    assert counts.to_dict() == expected.to_dict()
    assert made.contract.to_json() == whole.contract.to_json()
    assert made.predict(frame(100, 5)).tolist() == whole.predict(frame(100, 5)).tolist()


def test_rows_that_are_dropped_behind_a_split_leave_the_others_in_its_order(tmp_path: Path) -> None:
    text = MERGEABLE.replace(
        "    steps =", '    if learned.fitting:\n        X_train = X_train[X_train["age"] >= 20]\n'
        "        y_train = y_train.loc[X_train.index]\n    steps ="
    )  # fmt: skip
    made, whole = fit_houses(tmp_path, text, STEPS, frame(400))

    assert made.predict(frame(100, 5)).tolist() == whole.predict(frame(100, 5)).tolist()


@pytest.mark.parametrize("by", ["kind", "rooms", "sold"])
def test_parts_may_be_cut_by_a_column(tmp_path: Path, by: str) -> None:
    rows = frame(400).sort_values(by, kind="stable", ignore_index=True)
    made, whole = fit_houses(tmp_path, MERGEABLE, STEPS, rows)

    counts, expected = (each.features.learned_.values["counts"][None][0] for each in (made, whole))
    assert counts.to_dict() == expected.to_dict()
    assert made.contract.to_json() == whole.contract.to_json()
    assert made.predict(frame(100, 5)).tolist() == whole.predict(frame(100, 5)).tolist()


MEDIAN = 'lambda: df["area"].median()'
SPLIT = "train_test_split(X, y_train, test_size=0.2, random_state=0)\n"
BEHIND = f'{SPLIT}        X_train["age"] = X_train["age"].fillna(learned("area_median", lambda: VALUE))\n'
TRIMMED = [
    pytest.param("X_train, y_train = X_train.iloc[:100], y_train.iloc[:100]", id="by iloc"),
    pytest.param("X_train, y_train = X_train[:100], y_train[:100]", id="by a range"),
    pytest.param("X_train, y_train = X_train[::2], y_train[::2]", id="to every other one"),
    pytest.param("X_train, y_train = X_train[X_train.index < 150], y_train[X_train.index < 150]", id="by labels"),
    pytest.param("X_train, y_train = X_train.head(9999), y_train.head(9999)", id="to as many as there are"),
]


@pytest.mark.parametrize("code", TRIMMED)
def test_training_rows_that_are_trimmed_by_position_are_those_of_all_or_refused(tmp_path: Path, code: str) -> None:
    text = MERGEABLE.replace(SPLIT, f"{SPLIT}        {code}\n")

    refusal = None
    try:
        made, whole = fit_houses(tmp_path, text, STEPS, frame(400))
    except ValueError as error:
        refusal = str(error)

    if refusal is None:
        assert made.predict(frame(100, 5)).tolist() == whole.predict(frame(100, 5)).tolist()
    else:
        assert "hangs on other rows, on their order, or on how many there are" in refusal


def test_two_fits_into_one_folder_are_one_after_the_other(tmp_path: Path) -> None:
    version = assemble(tmp_path, "houses_twice")
    (version / "features.py").write_text(MERGEABLE, encoding="utf-8")
    (version / "manifest.json").write_text(json.dumps({"steps": STEPS}))
    write_parts(frame(400), tmp_path / "parts", [200])
    paths = sorted((tmp_path / "parts").iterdir())
    with imported(tmp_path, "houses_twice"):
        module = importlib.import_module("houses_twice.v0001.runtime.reducing")
        each = module.on_this_machine(paths)
        said = []

        def meanwhile(function: Any) -> list[Any]:
            with pytest.raises(ValueError, match="another process is writing") as caught:
                module.fit_package(each, tmp_path / "out")
            said.append(str(caught.value))
            return list(each(function))

        module.fit_package(meanwhile, tmp_path / "out")

        assert said
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["houses_twice"]
        made = [path.name for path in (tmp_path / "out/houses_twice").iterdir() if path.is_dir()]
        assert sorted(made) == ["serving", "v0001"]
        with pytest.raises(ValueError, match="is there already"):
            module.fit_package(each, tmp_path / "out")


@pytest.mark.parametrize(
    "text, steps, said",
    [
        pytest.param(FEATURES, STEPS, "cell 4, line 6: steps: it is not learned by reductions", id="an own estimator"),
        pytest.param(
            MERGEABLE.replace(MEDIAN, 'lambda: df["area"].iloc[0]'), STEPS,
            "cell 4, line 2: area_median: it is not learned by reductions that merge", id="the value of one row",
        ),
        pytest.param(
            MERGEABLE.replace(MEDIAN, "lambda: len(df)"), STEPS, "cell 4, line 2: area_median: ", id="how many rows"
        ),
        pytest.param(
            MERGEABLE.replace(MEDIAN, 'lambda: df.groupby("kind")["area"].median().max()'), STEPS,
            "cell 4, line 2: area_median: groupby(...).median of all rows is no sum", id="medians by group",
        ),
        pytest.param(
            MERGEABLE.replace(SPLIT, BEHIND.replace("VALUE", 'X_train["age"].unique()[0]')), STEPS,
            "cell 4, line 2: area_median: what unique() gives hangs on the order", id="the first of drawn rows",
        ),
        pytest.param(
            MERGEABLE.replace(SPLIT, BEHIND.replace("VALUE", 'X_train["age"].value_counts().index[0]')), STEPS,
            "cell 4, line 2: area_median: which of the equally frequent", id="the first tie of drawn rows",
        ),
        pytest.param(
            MERGEABLE.replace(MEDIAN, 'lambda: df["area"].median().nothing'), STEPS,
            "cell 4, line 2: area_median: it raises AttributeError on some of the rows", id="an error",
        ),
        pytest.param(
            MERGEABLE.replace('df["month"] =', 'df.loc[300, "age"] += df.pop("area")[399]\n    df["month"] ='), STEPS,
            "it raises KeyError on some of the rows", id="an error outside of what is learned",
        ),
        pytest.param(
            MERGEABLE.replace(", random_state=0", ""), STEPS, "the split has no random_state", id="a split by chance"
        ),
        pytest.param(
            MERGEABLE, [{"binding": "train-only", "cell": 3, "line": 2, "code": "df = df.drop_duplicates()"}],
            "cell 3, line 2: df.drop_duplicates() may look at all training rows", id="rows that others drop",
        ),
        pytest.param(
            MERGEABLE, [{"binding": "train-only", "cell": 3, "line": 2, "code": "df = df.iloc[:300]"}],
            "cell 3, line 2: df.iloc[:300] may look at all training rows", id="the first rows",
        ),
    ],
)  # fmt: skip
def test_what_does_not_merge_is_told_by_its_place(
    tmp_path: Path, text: str, steps: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the error's class is the package's own
        fit_houses(tmp_path, text, steps, frame(400))

    assert said in str(caught.value)
    assert caught.value.hint  # type: ignore[attr-defined]
    assert not (tmp_path / "out").exists()


def test_parts_may_lack_values_or_rows(tmp_path: Path) -> None:
    rows = frame(400)
    rows["garden"] = rows["garden"].astype(object)
    rows.loc[350, "garden"] = None
    rows["age"] = rows["age"].astype(float)
    rows.loc[:99, "area"] = np.nan
    rows.loc[120, "age"] = np.nan
    whole = rows.to_parquet(tmp_path / "whole.parquet", index=False) or pd.read_parquet(tmp_path / "whole.parquet")
    version = assemble(tmp_path, "houses_with_gaps")
    (version / "features.py").write_text(MERGEABLE, encoding="utf-8")
    (version / "manifest.json").write_text(json.dumps({"steps": STEPS}))
    write_parts(rows, tmp_path / "parts", [100, 100, 300])
    with imported(tmp_path, "houses_with_gaps") as package:
        module = importlib.import_module("houses_with_gaps.v0001.runtime.reducing")
        module.fit_package(module.on_this_machine(sorted((tmp_path / "parts").iterdir())), tmp_path / "out")
        folder = tmp_path / "out" / "houses_with_gaps" / "v0001"
        made = importlib.import_module("houses_with_gaps.v0001.runtime.pipeline").Pipeline.load(folder)
        expected = package.train(whole)

    assert made.contract.to_json() == expected.contract.to_json()
    for name in ("area_median", "mode"):
        same_values({name: made.features.learned_.values[name]}, {name: expected.features.learned_.values[name]})


@pytest.mark.parametrize(
    "first, second",
    [
        pytest.param(["1", "2"], [1, 2], id="texts and numbers"),
        pytest.param(pd.Categorical(["a", "b"]), pd.Categorical(["b", "c"]), id="other categories"),
    ],
)
def test_parts_that_are_not_alike_are_refused(tmp_path: Path, first: Any, second: Any) -> None:
    version = assemble(tmp_path, "houses_unlike")
    (version / "manifest.json").write_text(json.dumps({"steps": []}))
    with imported(tmp_path, "houses_unlike"):
        module = importlib.import_module("houses_unlike.v0001.runtime.reducing")
        parts = [pd.DataFrame({"kind": first}), pd.DataFrame({"kind": second})]

        with pytest.raises(ValueError, match=r"^kind is .* in some parts and .* in others$"):
            module.fit_package(
                lambda function: [one for at, part in enumerate(parts) for one in module.asked_of(function, at, part)],
                tmp_path / "out",
            )


def test_features_beyond_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = assemble(tmp_path, "houses_too_many")
    (version / "features.py").write_text(MERGEABLE, encoding="utf-8")
    (version / "manifest.json").write_text(json.dumps({"steps": STEPS}))
    write_parts(frame(400), tmp_path / "parts", [200])
    with imported(tmp_path, "houses_too_many"):
        module = importlib.import_module("houses_too_many.v0001.runtime.reducing")
        monkeypatch.setattr(module, "MOST_BYTES", 1000)

        with pytest.raises(ValueError, match="the model is fitted in memory") as caught:
            module.fit_package(module.on_this_machine(sorted((tmp_path / "parts").iterdir())), tmp_path / "out")

    assert "--sample N" in caught.value.hint
