"""Rows of a partition in batches, for any engine: answers, reasons, what is counted, and which version answers."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.codegen.runtime.sample import frame, on_the_path

pyarrow = pytest.importorskip("pyarrow")
NAME = "parted_houses"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with on_the_path(tmp_path_factory.mktemp("pipelines"), NAME) as root:
        yield root


@pytest.fixture(scope="module")
def module(root: Path) -> Any:
    return importlib.import_module(f"{NAME}.v0001.runtime.partitions")


@pytest.fixture(scope="module")
def pipeline(module: Any) -> Any:
    return module.loaded(module.identity())


def rows_of(count: int, seed: int = 1) -> pd.DataFrame:
    return frame(count, seed).drop(columns="price")


def in_batches(rows: pd.DataFrame, size: int) -> list[pd.DataFrame]:
    return [rows.iloc[at : at + size] for at in range(0, len(rows), size)]


@pytest.mark.parametrize("size", [1, 7, 100], ids="{} rows in a batch".format)
def test_answers_are_those_of_one_frame_whatever_the_batches(pipeline: Any, module: Any, size: int) -> None:
    rows = rows_of(30)

    made = pd.concat(module.over_frames(pipeline, in_batches(rows, size)))

    assert made["prediction"].tolist() == pipeline.predict(rows).tolist()
    pd.testing.assert_frame_equal(made[rows.columns], rows)
    assert made["_nbprod_reason"].isna().all()
    assert module.summed(made["_nbprod_told"].dropna())["rows"] == 30


def broken() -> pd.DataFrame:
    rows = rows_of(20).astype({"rooms": object})
    rows.loc[[3, 11], "rooms"] = "many"
    return rows


def test_bad_rows_keep_their_place_and_say_why(pipeline: Any, module: Any) -> None:
    made = pd.concat(module.over_frames(pipeline, in_batches(broken(), 6)))

    bad = made.index[made["_nbprod_reason"].notna()].tolist()
    assert (bad, made["prediction"].isna().sum()) == ([3, 11], 2)
    assert made.loc[3, "_nbprod_reason"].startswith("rooms: ")
    good = made.index.difference(bad)
    assert made.loc[good, "prediction"].tolist() == pipeline.predict(rows_of(20).loc[good]).tolist()
    told = module.summed(made["_nbprod_told"].dropna())
    assert (told["rows"], told["bad"], told["reasons"]) == (18, 2, {"rooms: type": 2})


def test_a_batch_of_bad_rows_only_loses_none(pipeline: Any, module: Any) -> None:
    made = pd.concat(module.over_frames(pipeline, [broken().iloc[[3, 11]]]))

    assert (len(made), made["_nbprod_reason"].notna().sum(), made["prediction"].isna().sum()) == (2, 2, 2)


def test_tables_of_arrow_are_handed_on_as_they_are(pipeline: Any, module: Any) -> None:
    rows = rows_of(25).assign(key=range(2**60, 2**60 + 25))
    table = pyarrow.Table.from_pandas(rows, preserve_index=False)
    kind = module.answer_kind(pipeline)

    made = pyarrow.concat_tables(module.over_tables(pipeline, table.to_batches(max_chunksize=10), kind, ["key"]))

    assert made.select(table.column_names).equals(table)
    assert made["prediction"].to_pylist() == pipeline.predict(rows).tolist()
    assert made.schema.field("prediction").type == kind == pyarrow.float64()


def test_whole_csv_files_are_read_as_the_notebook_reads_them(pipeline: Any, module: Any) -> None:
    rows = rows_of(12)
    lines = rows.to_csv(index=False).splitlines(keepends=True)
    lines[4] = lines[4].rstrip("\n") + ",one,too,many\n"

    made = pyarrow.concat_tables(module.over_csv(pipeline, [("a/part-1.csv", "".join(lines).encode())], rows=5))

    by_row = made.to_pandas().sort_values("_nbprod_row")
    assert (by_row["_nbprod_row"].tolist(), set(by_row["_nbprod_part"])) == (list(range(1, 13)), {"a/part-1.csv"})
    assert by_row.loc[by_row["_nbprod_reason"].notna(), "_nbprod_row"].tolist() == [4]
    expected = pipeline.predict(rows.drop(index=3)).tolist()
    assert by_row.loc[by_row["_nbprod_reason"].isna(), "prediction"].tolist() == expected
    assert {made.schema.field(name).type for name in rows.columns} == {pyarrow.string()}


def test_a_csv_that_is_none_is_named(pipeline: Any, module: Any) -> None:
    with pytest.raises(ValueError, match=r"^a/part-2\.csv: .*"):
        list(module.over_csv(pipeline, [("a/part-2.csv", b"\x00\xff\xfe\n\x80")]))


@pytest.mark.parametrize(
    "changed, said",
    [
        pytest.param({"version": "v0007"}, "another version (v0001)", id="another version"),
        pytest.param({"digest": "f" * 32}, "another code (0123456789ab)", id="another code"),
        pytest.param({"state": "f" * 64}, "another learned state", id="the same code, fitted on other rows"),
    ],
)
def test_a_worker_with_another_version_refuses(module: Any, changed: dict[str, str], said: str) -> None:
    with pytest.raises(module.OtherVersionError) as caught:
        module.loaded({**module.identity(), **changed})

    assert said in str(caught.value)


def test_state_is_read_once_a_process(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = module.loaded(module.identity())
    monkeypatch.setattr(module.Pipeline, "load", None)

    assert module.loaded(module.identity()) is first


def test_a_column_that_is_missing_is_told_and_no_rows_fault(pipeline: Any, module: Any) -> None:
    with pytest.raises(ValueError, match="area: this column is required"):
        list(module.over_frames(pipeline, [rows_of(3).drop(columns="area")]))


def test_counts_of_batches_add_up(module: Any) -> None:
    one = {"rows": 2, "bad": 1, "reasons": {"a: type": 1}, "flags": {"b": 1}, "warnings": ["w"], "unsure": 1}
    two = {"rows": 3, "bad": 0, "reasons": {}, "flags": {"b": 2, "c": 1}, "warnings": ["w"]}

    assert module.summed(map(json.dumps, (one, two))) == {
        "rows": 5, "bad": 1, "unsure": 1, "flags": {"b": 3, "c": 1}, "reasons": {"a: type": 1}, "warnings": ["w"],
    }  # fmt: skip
