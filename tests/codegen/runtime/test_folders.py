"""A folder of parts scored on several processes: names, bytes, bad rows, malformed parts, and how it goes on."""

from __future__ import annotations

import errno
import importlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.codegen.runtime import parts
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
    return importlib.import_module(f"{NAME}.v0001.runtime.folders")


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


def listed(folder: Path) -> list[str]:
    """All names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("jobs", [1, 2])
def test_parts_come_out_as_the_file_alone_would(
    pipeline: Any, module: Any, source: Path, tmp_path: Path, jobs: int
) -> None:
    told = module.score_folder(pipeline, source, tmp_path / "out", jobs=jobs)

    score = importlib.import_module(f"{NAME}.v0001.runtime.score")
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
    assert listed(tmp_path / "out") == ["_nbprod.json", "b.csv", "c.csv.gz"]
    assert listed(tmp_path / "bad") == ["_nbprod.json", "a.csv", "b.csv"]
    assert (tmp_path / "bad" / "a.csv").read_bytes() == b"\xff\xfe\x00"
    assert pd.read_csv(tmp_path / "bad" / "b.csv")[["row", "rooms"]].values.tolist() == [[5, "many"]]


def with_bad_rows(source: Path) -> None:
    """A part with two bad rows, one that is malformed behind its first rows, and one without either."""
    rows = rows_of(20, 0).astype(object)
    rows.loc[[4, 11], "rooms"] = "many"
    rows.to_csv(source / "b.csv", index=False)
    text = rows_of(21, 1).to_csv(index=False)
    (source / "a.csv").write_text(text.rpartition("gas")[0] + '"' + text.rpartition("gas")[2])


def test_what_a_malformed_part_has_given_does_not_come_out(
    pipeline: Any, module: Any, source: Path, tmp_path: Path
) -> None:
    with_bad_rows(source)

    told = module.score_folder(pipeline, source, tmp_path / "out", bad_rows=tmp_path / "bad", jobs=1, rows=5)

    assert list(told["malformed"]) == ["a.csv"]
    assert listed(tmp_path / "out") == ["_nbprod.json", "b.csv", "c.csv.gz"]
    assert listed(tmp_path / "bad") == ["_nbprod.json", "a.csv", "b.csv"]
    assert listed(tmp_path) == ["bad", "in", "out"]


def test_a_part_that_cannot_be_typed_is_malformed(
    pipeline: Any, module: Any, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = {"function": "pandas.read_csv", "kwargs": {"parse_dates": ["note"]}}
    monkeypatch.setattr(pipeline, "contract", replace(pipeline.contract, read=read))
    rows_of(9).drop(columns="note").to_csv(source / "b.csv", index=False)

    told = module.score_folder(pipeline, source, tmp_path / "out", bad_rows=tmp_path / "bad", jobs=1)

    assert (told["parts"], told["rows"], list(told["malformed"])) == (2, 43, ["b.csv"])
    assert "parse_dates" in told["malformed"]["b.csv"]


def test_a_part_that_is_gone_by_the_second_try_does_not_come_out(
    pipeline: Any, module: Any, source: Path, tmp_path: Path
) -> None:
    (source / "b.csv").write_bytes(b"")
    with pytest.raises(ValueError, match="cannot be scored"):
        module.score_folder(pipeline, source, tmp_path / "out", jobs=1)
    (source / "b.csv").unlink()
    (source / "a.csv").unlink()

    module.score_folder(pipeline, source, tmp_path / "out", jobs=1)

    assert listed(tmp_path / "out") == ["_nbprod.json", "c.csv.gz"]


class Killed(BaseException):
    """The end of the process."""


STEPS = 8
"""Each of two folders is moved beside its place, where an older one goes out of the way; the journal goes last."""


@pytest.mark.parametrize("step", range(STEPS))
@pytest.mark.parametrize("elsewhere", [False, True], ids=["on one disk", "on two disks"])
def test_a_kill_while_folders_are_put_in_their_places_loses_nothing(
    pipeline: Any,
    module: Any,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    elsewhere: bool,
) -> None:
    folder, taken = tmp_path, []
    if elsewhere:
        folder = Path(tempfile.mkdtemp(dir=other_disk(tmp_path)))
    options = {"bad_rows": folder / "bad", "jobs": 1, "rows": 5}
    module.score_folder(pipeline, source, tmp_path / "out", **options)
    with_bad_rows(source)
    expected = module.score_folder(
        pipeline, source, tmp_path / "whole", **{**options, "bad_rows": folder / "whole.bad"}
    )
    names = {"bad", ".bad.new", "out", ".out.new", "journal.jsonl"}

    def killing(function: Any) -> Any:
        def call(path: Path, *words: Any, **options: Any) -> Any:
            if path.name in names and path.parent.name != "in":
                if len(taken) == step:
                    raise Killed
                taken.append(path.name)
            return function(path, *words, **options)

        return call

    with monkeypatch.context() as patch:
        for name in ("rename", "replace", "unlink"):
            patch.setattr(Path, name, killing(getattr(Path, name)))
        with pytest.raises(Killed):
            module.score_folder(pipeline, source, tmp_path / "out", **options)
    told = module.score_folder(pipeline, source, tmp_path / "out", **options)

    assert told == expected
    for made, whole in ((tmp_path / "out", tmp_path / "whole"), (folder / "bad", folder / "whole.bad")):
        assert listed(made) == listed(whole)
        assert all((made / name).read_bytes() == (whole / name).read_bytes() for name in listed(whole))
    assert listed(tmp_path) == sorted({"in", "out", "whole"} | ({"bad", "whole.bad"} if folder == tmp_path else set()))
    if elsewhere:
        assert listed(folder) == ["bad", "whole.bad"]
        shutil.rmtree(folder)


def other_disk(folder: Path) -> Path:
    place = Path("/dev/shm")
    if not place.is_dir() or place.stat().st_dev == folder.stat().st_dev:
        pytest.skip("there is one disk")
    return place


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_puts_no_part_aside(
    pipeline: Any, module: Any, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    options = {"bad_rows": tmp_path / "bad", "jobs": jobs}

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(module.HaltError, match=r"^a\.csv: there is no room for .*: it stopped behind row 0"):
            module.score_folder(pipeline, source, tmp_path / "out", **options)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "bad").exists()
    assert module.score_folder(pipeline, source, tmp_path / "out", **options)["rows"] == 63
    assert listed(tmp_path) == ["bad", "in", "out"]


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def failing(*_: Any, **__: Any) -> Any:
    raise RuntimeError("the model is not loaded")


@pytest.mark.parametrize(
    "owner, name, fault, said",
    [
        pytest.param("shutil", "copyfile", full, "^there is no room for .*out$", id="no room for malformed parts"),
        pytest.param("folders", "put", full, "^there is no room for .*out$", id="no room where the parts go"),
        pytest.param("score", "put", full, r"^b\.csv: there is no room for .*, of which all", id="no room for one"),
        pytest.param(
            "pipeline.Pipeline", "_ask", failing, r"^a\.csv: rows 1 to 5: RuntimeError: the model", id="the model"
        ),
        pytest.param("tables", "is_safe", lambda _: False, "^Parquet files need pyarrow 14", id="no pyarrow"),
    ],
)
def test_what_is_no_fault_of_a_part_puts_none_aside(
    pipeline: Any,
    module: Any,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: str,
    name: str,
    fault: Any,
    said: str,
) -> None:
    pytest.importorskip("pyarrow")
    with_bad_rows(source)
    rows_of(9).to_parquet(source / "p.parquet")
    part_of, _, kind = owner.partition(".")
    there = shutil if owner == "shutil" else importlib.import_module(f"{NAME}.v0001.runtime.{part_of}")

    with monkeypatch.context() as patch:
        patch.setattr(getattr(there, kind) if kind else there, name, fault)
        with pytest.raises(module.ScoreError, match=said):
            module.score_folder(pipeline, source, tmp_path / "out", bad_rows=tmp_path / "bad", jobs=1, rows=5)

    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "bad").exists()
    told = module.score_folder(pipeline, source, tmp_path / "out", bad_rows=tmp_path / "bad", jobs=1, rows=5)
    assert (told["parts"], told["rows"], told["bad"], list(told["malformed"])) == (3, 49, 2, ["a.csv"])


def test_answers_that_no_column_holds_are_no_fault_of_a_part(
    pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "in").mkdir()
    rows_of(9).to_parquet(tmp_path / "in" / "p.parquet")
    monkeypatch.setattr(type(pipeline), "judge", lambda _, rows: (np.array([object()] * len(rows)), []))

    with pytest.raises(module.HaltError, match=r"^p\.parquet: the predictions are of kinds"):
        module.score_folder(pipeline, tmp_path / "in", tmp_path / "out", bad_rows=tmp_path / "bad", jobs=1)

    assert listed(tmp_path) == ["in"]


def as_csv(rows: pd.DataFrame, path: Path) -> None:
    rows.to_csv(path, index=False)


def with_blank_lines(rows: pd.DataFrame, path: Path) -> None:
    path.write_text(rows.to_csv(index=False).replace("\n", "\n\n  \n"))


def in_groups(size: int) -> Callable[[pd.DataFrame, Path], None]:
    def write(rows: pd.DataFrame, path: Path) -> None:
        pytest.importorskip("pyarrow")
        rows.astype({"kind": "category"}).to_parquet(path, row_group_size=size)

    return write


@pytest.mark.parametrize("parts, sizes", [(4, [8, 8, 8, 7]), (3, [11, 11, 9]), (1, [31]), (40, [1] * 31)])
@pytest.mark.parametrize(
    "name, write",
    [
        pytest.param("in.csv", as_csv, id="csv"),
        pytest.param("in.csv", with_blank_lines, id="csv with blank lines"),
        pytest.param("in.csv.gz", as_csv, id="gzip"),
        pytest.param("in.parquet", in_groups(1000), id="Parquet of one group"),
        pytest.param("in.parquet", in_groups(5), id="Parquet of small groups"),
        pytest.param("in.parquet", in_groups(9), id="Parquet of groups about as large as parts"),
    ],
)
def test_a_file_is_cut_into_parts_that_hold_all_of_its_rows(
    pipeline: Any, module: Any, tmp_path: Path, name: str, write: Any, parts: int, sizes: list[int]
) -> None:
    rows = rows_of(31)
    write(rows, tmp_path / name)

    told = module.score_folder(pipeline, tmp_path / name, tmp_path / "out", partitions=parts, jobs=1)

    ending = name.partition(".")[2]
    names = [f"part-{number:05d}.{ending}" for number in range(len(sizes))]
    assert (parts_in(tmp_path / "out"), told["rows"]) == (names, 31)
    read = pd.read_parquet if ending == "parquet" else pd.read_csv
    made = [read(tmp_path / "out" / each) for each in names]
    assert [len(part) for part in made] == sizes
    assert pd.concat(made)["prediction"].tolist() == pipeline.predict(rows).tolist()


@pytest.mark.parametrize("name, write", [("in.csv", as_csv), ("in.parquet", in_groups(1000))])
def test_a_part_is_written_while_the_file_is_read(
    pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, write: Any
) -> None:
    write(rows_of(31), tmp_path / name)
    monkeypatch.setattr(module, "ROWS", 2)
    by_part, first = module._by_part, tmp_path / ".out.parts" / "in" / name.replace("in", "part-00000")
    seen = []

    def looking(*words: Any) -> Any:
        for each in by_part(*words):
            seen.append(first.is_file())
            yield each

    monkeypatch.setattr(module, "_by_part", looking)
    module.score_folder(pipeline, tmp_path / name, tmp_path / "out", partitions=2, jobs=1)

    assert seen == [False, *[True] * 15]


@pytest.mark.parametrize("name", ["in.csv", "in.parquet"])
def test_a_file_without_rows_is_one_part(pipeline: Any, module: Any, tmp_path: Path, name: str) -> None:
    as_csv(rows_of(0), tmp_path / name) if name == "in.csv" else in_groups(5)(rows_of(0), tmp_path / name)

    told = module.score_folder(pipeline, tmp_path / name, tmp_path / "out", partitions=3, jobs=1)

    assert (told["rows"], told["parts"]) == (0, 1)


@pytest.mark.parametrize("rows", [9, 32, 60])
def test_a_file_that_changes_while_it_is_cut_is_not_scored_in_part(
    pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    as_csv(rows_of(31), tmp_path / "in.csv")
    by_part = module._by_part

    def changing(*words: Any) -> Any:
        as_csv(rows_of(rows), tmp_path / "in.csv")
        return by_part(*words)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_by_part", changing)
        with pytest.raises(ValueError, match=r"has changed while it was cut \(31 rows"):
            module.score_folder(pipeline, tmp_path / "in.csv", tmp_path / "out", partitions=2, jobs=1)

    assert not (tmp_path / "out").exists()
    assert module.score_folder(pipeline, tmp_path / "in.csv", tmp_path / "out", partitions=2, jobs=1)["rows"] == rows


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


def test_a_file_that_is_put_takes_nothing_that_lies_beside_its_place(tmp_path: Path) -> None:
    (tmp_path / "made").write_text("new")
    (tmp_path / ".out.csv.old").write_text("somebody's")
    parts.put(tmp_path / "made", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "new"
    assert (tmp_path / ".out.csv.old").read_text() == "somebody's"
