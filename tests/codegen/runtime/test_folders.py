"""A folder of parts scored on several processes: names, bytes, bad rows, malformed parts, and how it goes on."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.codegen.runtime.sample import frame, on_the_path

NAME = "houses_in_parts"
CSV = ("b.csv", "a.csv", "c.csv.gz")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with on_the_path(tmp_path_factory.mktemp("pipelines"), NAME) as root:
        yield root


@pytest.fixture(scope="module")
def pipeline(root: Path) -> Any:
    return importlib.import_module(NAME).load()


@pytest.fixture(scope="module")
def module(root: Path) -> Any:
    return importlib.import_module(f"{NAME}.v0001.folders")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for seed, name in enumerate(CSV):
        rows_of(20 + seed, seed).to_csv(folder / name, index=False)
    (folder / "_SUCCESS").touch()
    return folder


def rows_of(count: int, seed: int = 1) -> pd.DataFrame:
    return frame(count, seed).drop(columns="price")


def parts_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name[0] not in "_.")


@pytest.mark.parametrize("jobs", [1, 2])
def test_parts_come_out_as_the_file_alone_would(
    pipeline: Any, module: Any, source: Path, tmp_path: Path, jobs: int
) -> None:
    told = module.score_folder(pipeline, source, tmp_path / "out", jobs=jobs)

    score = importlib.import_module(f"{NAME}.v0001.score")
    for name in CSV:
        score.score_file(pipeline, source / name, tmp_path / name)
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / name).read_bytes()
    assert (parts_in(tmp_path / "out"), told["parts"], told["rows"]) == (sorted(CSV), 3, 63)
    assert json.loads((tmp_path / "out" / "_nbprod.json").read_text()) == told
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["in", "out", *CSV])


def test_a_malformed_part_is_named_and_the_others_are_kept(
    pipeline: Any, module: Any, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = (source / "b.csv").read_bytes()
    (source / "b.csv").write_bytes(b"")

    with pytest.raises(ValueError, match=r"^b\.csv cannot be scored: .* is empty") as caught:
        module.score_folder(pipeline, source, tmp_path / "out", jobs=1)

    assert "goes on behind the parts that are done" in caught.value.hint
    assert not (tmp_path / "out").exists()
    (source / "b.csv").write_bytes(good)
    scored = []
    score_file = module.score_file
    monkeypatch.setattr(
        module, "score_file", lambda *words, **options: scored.append(words[1].name) or score_file(*words, **options)
    )
    assert module.score_folder(pipeline, source, tmp_path / "out", jobs=1)["rows"] == 63
    assert scored == ["b.csv"]


def test_with_bad_rows_both_rows_and_parts_are_put_aside(
    pipeline: Any, module: Any, source: Path, tmp_path: Path
) -> None:
    rows = rows_of(20, 0).astype(object)
    rows.loc[4, "rooms"] = "many"
    rows.to_csv(source / "b.csv", index=False)
    (source / "a.csv").write_bytes(b"\xff\xfe\x00")

    told = module.score_folder(pipeline, source, tmp_path / "out", bad_rows=tmp_path / "bad", jobs=1)

    assert (told["parts"], told["rows"], told["bad"], list(told["malformed"])) == (2, 41, 1, ["a.csv"])
    assert (parts_in(tmp_path / "out"), parts_in(tmp_path / "bad")) == (["b.csv", "c.csv.gz"], ["a.csv", "b.csv"])
    assert (tmp_path / "bad" / "a.csv").read_bytes() == b"\xff\xfe\x00"
    assert pd.read_csv(tmp_path / "bad" / "b.csv")[["row", "rooms"]].values.tolist() == [[5, "many"]]


@pytest.mark.parametrize("name", ["in.csv", "in.parquet", "in.csv.gz"])
def test_a_file_is_cut_into_parts(pipeline: Any, module: Any, tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    rows = rows_of(31)
    rows.to_parquet(tmp_path / name) if name.endswith("parquet") else rows.to_csv(tmp_path / name, index=False)

    told = module.score_folder(pipeline, tmp_path / name, tmp_path / "out", partitions=4, jobs=1)

    ending = name.partition(".")[2]
    names = [f"part-{number:05d}.{ending}" for number in range(4)]
    assert (parts_in(tmp_path / "out"), told["rows"]) == (names, 31)
    read = pd.read_parquet if ending == "parquet" else pd.read_csv
    made = pd.concat([read(tmp_path / "out" / each) for each in names])
    assert made["prediction"].tolist() == pipeline.predict(rows).tolist()


def test_an_older_result_is_replaced_and_other_things_never(
    pipeline: Any, module: Any, source: Path, tmp_path: Path
) -> None:
    module.score_folder(pipeline, source, tmp_path / "out", jobs=1)
    (source / "a.csv").unlink()
    module.score_folder(pipeline, source, tmp_path / "out", jobs=1)
    assert parts_in(tmp_path / "out") == ["b.csv", "c.csv.gz"]

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="holds other things than scored parts"):
        module.score_folder(pipeline, source, tmp_path / "mine", jobs=1)


@pytest.mark.parametrize(
    "change, options, said",
    [
        pytest.param(lambda source: (source / "inner").mkdir(), {}, "is a folder in a folder", id="a folder within"),
        pytest.param(lambda source: shutil.rmtree(source), {}, "there is no folder", id="nothing there"),
        pytest.param(lambda source: (source / "x.doc").touch(), {}, "is neither .csv", id="a file of another kind"),
        pytest.param(lambda _: None, {"partitions": 2}, "is a folder of parts", id="partitions of a folder"),
        pytest.param(lambda _: None, {"bad_rows": "in/bad"}, "lies in another folder", id="bad rows in the input"),
    ],
)
def test_what_cannot_be_begun_is_said(
    pipeline: Any, module: Any, source: Path, tmp_path: Path, change: Any, options: dict[str, Any], said: str
) -> None:
    change(source)
    if "bad_rows" in options:
        options = {"bad_rows": tmp_path / options["bad_rows"]}

    with pytest.raises(ValueError, match=said):
        module.score_folder(pipeline, source, tmp_path / "out", **options)
