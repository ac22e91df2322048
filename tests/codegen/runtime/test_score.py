"""A file of raw rows scored in pieces: what comes out, what is put aside, what stops, and how it goes on."""

from __future__ import annotations

import bz2
import csv
import errno
import gzip
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.codegen.runtime.sample import frame, on_the_path

NAME = "scored_houses"
KEPT = "its own text: 007, Ümlaut"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a fitted package, which is on the path; one column of it is text that looks like numbers."""
    with on_the_path(tmp_path_factory.mktemp("pipelines"), NAME) as root:
        yield root


@pytest.fixture(scope="module")
def pipeline(root: Path) -> Any:
    return importlib.import_module(NAME).load()


@pytest.fixture(scope="module")
def module(root: Path) -> Any:
    return importlib.import_module(f"{NAME}.v0001.runtime.score")


def rows_of(count: int, seed: int = 1) -> pd.DataFrame:
    return frame(count, seed).drop(columns="price")


def written(rows: pd.DataFrame, path: Path) -> Path:
    rows.to_csv(path, index=False)
    return path


def broken(rows: pd.DataFrame, changes: dict[int, dict[str, Any]]) -> pd.DataFrame:
    rows = rows.astype(object)
    for row, values in changes.items():
        for name, value in values.items():
            rows.loc[row, name] = value
    return rows


def command(root: Path, *words: str) -> list[str]:
    start = "import runpy, sys; sys.path[0] = sys.argv.pop(1); runpy.run_module(sys.argv.pop(1), run_name='__main__')"
    return [sys.executable, "-c", start, str(root), NAME, "score", *words]


@pytest.mark.parametrize("rows, jobs", [(7, 1), (100, 1), (1000, 1), (7, 2)])
def test_the_predictions_stand_beside_the_records_as_they_were(
    pipeline: Any, module: Any, tmp_path: Path, rows: int, jobs: int
) -> None:
    raw = rows_of(100)
    source = written(raw, tmp_path / "in.csv")
    if rows == 7 and jobs == 2:
        source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))

    told = module.score_file(pipeline, source, tmp_path / "out.csv", rows=rows, jobs=jobs)

    expected = pipeline.predict(pd.read_csv(source, na_values=["?"], dtype={"note": str}))
    lines = source.read_bytes().splitlines(keepends=True)
    answers = ["prediction", *map(str, expected.tolist())]
    end = b"\r\n" if lines[0].endswith(b"\r\n") else b"\n"
    assert (tmp_path / "out.csv").read_bytes() == b"".join(
        line[: -len(end)] + b"," + answer.encode() + end for line, answer in zip(lines, answers, strict=True)
    )
    assert (told["rows"], sorted(tmp_path.iterdir())) == (100, [source, tmp_path / "out.csv"])


def plain(text: str) -> bytes:
    return text.encode()


@pytest.mark.parametrize(
    "name, change, packed",
    [
        pytest.param("in.csv.gz", plain, gzip.compress, id="gzip"),
        pytest.param("in.csv.bz2", plain, bz2.compress, id="bzip2"),
        pytest.param("in.csv", lambda text: text.replace("\n", "\r\n").encode(), bytes, id="windows-line-ends"),
        pytest.param("in.csv", lambda text: ("\ufeff" + text).encode(), bytes, id="a-byte-order-mark"),
        pytest.param("in.csv", lambda text: text.rstrip("\n").encode(), bytes, id="no-line-end-at-the-end"),
        pytest.param("in.csv", lambda text: text.replace("\n", "\n\n  \n").encode(), bytes, id="blank-lines"),
        pytest.param("in.csv", lambda text: text.replace("gas", '"gas"').encode(), bytes, id="needless-quotes"),
    ],
)
def test_csv_is_taken_as_it_comes(
    pipeline: Any,
    module: Any,
    tmp_path: Path,
    name: str,
    change: Callable[[str], bytes],
    packed: Callable[[bytes], bytes],
) -> None:
    raw = rows_of(40).assign(note=['a "quoted", note\nof two lines' if row % 3 else KEPT for row in range(40)])
    raw["heating"] = "gas"
    text = raw.to_csv(index=False)
    content = change(text)
    (tmp_path / name).write_bytes(packed(content))
    target = tmp_path / name.replace("in", "out")

    module.score_file(pipeline, tmp_path / name, target, rows=9)

    out = {".gz": gzip.decompress, ".bz2": bz2.decompress}.get(target.suffix, bytes)(target.read_bytes())
    kept = list(csv.reader(io.StringIO(out.decode("utf-8-sig"), newline="")))
    given = [line for line in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) if "".join(line).strip()]
    assert [line[:-1] for line in kept] == given
    assert [float(line[-1]) for line in kept[1:]] == pipeline.predict(raw).tolist()
    assert out.startswith(b"\xef\xbb\xbf") == content.startswith(b"\xef\xbb\xbf")
    assert out.count(b'"gas"') == content.count(b'"gas"')


def test_a_file_of_tabs_stays_one(pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = rows_of(10)
    raw.to_csv(tmp_path / "in.tsv", sep="\t", index=False)
    monkeypatch.setitem(pipeline.contract.read, "function", "")

    module.score_file(pipeline, tmp_path / "in.tsv", tmp_path / "out.tsv", rows=4)

    scored = pd.read_csv(tmp_path / "out.tsv", sep="\t")
    assert scored["prediction"].tolist() == pipeline.predict(raw).tolist()


@pytest.mark.parametrize(
    "options, text",
    [
        pytest.param(
            {"sep": ";", "decimal": ","}, lambda rows: rows.to_csv(index=False, sep=";", decimal=","), id="commas"
        ),
        pytest.param({"comment": "#"}, lambda rows: "# made by hand\n" + rows.to_csv(index=False), id="comments"),
        pytest.param({"skiprows": 2}, lambda rows: "one\ntwo\n" + rows.to_csv(index=False), id="lines-to-skip"),
        pytest.param(
            {"sep": r"\s*;\s*", "engine": "python"}, lambda rows: rows.to_csv(index=False, sep=";"), id="a-pattern"
        ),
        pytest.param({"encoding": "latin-1"}, lambda rows: rows.to_csv(index=False), id="another-encoding"),
        pytest.param({"encoding": "utf-16"}, lambda rows: rows.to_csv(index=False), id="two-bytes-a-sign"),
        pytest.param({}, lambda rows: rows.to_csv(index=True, index_label=False), id="an-index-without-a-name"),
    ],
)
def test_the_notebooks_own_way_of_reading_holds(
    pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], text: Any
) -> None:
    raw = rows_of(30).assign(note=KEPT)
    (tmp_path / "in.csv").write_bytes(text(raw).encode(options.get("encoding", "utf-8")))
    monkeypatch.setitem(pipeline.contract.read, "kwargs", options)
    expected = pd.read_csv(tmp_path / "in.csv", **options)

    module.score_file(pipeline, tmp_path / "in.csv", tmp_path / "out.csv", rows=7)

    encoding = "latin-1" if options.get("encoding") == "latin-1" else "utf-8"
    separator = options["sep"] if len(options.get("sep", "  ")) == 1 else ","
    scored = pd.read_csv(tmp_path / "out.csv", encoding=encoding, sep=separator, dtype=str)
    assert scored["prediction"].astype(float).tolist() == pipeline.predict(expected).tolist()
    assert set(scored["note"]) == {KEPT}
    assert len(scored) == 30


def test_a_header_alone_gives_a_header(pipeline: Any, module: Any, tmp_path: Path) -> None:
    written(rows_of(0), tmp_path / "in.csv")

    told = module.score_file(pipeline, tmp_path / "in.csv", tmp_path / "out.csv", bad_rows=tmp_path / "bad.csv")

    header = (tmp_path / "in.csv").read_text().rstrip()
    assert (tmp_path / "out.csv").read_text() == f"{header},prediction\n"
    assert (tmp_path / "bad.csv").read_text() == f"{header},row,reason\n"
    assert told == {"rows": 0, "flags": {}, "bad": 0}


@pytest.mark.parametrize("target", ["out.parquet", "out.csv"])
@pytest.mark.parametrize("groups", [5, 64, 1000])
def test_parquet_is_read_and_written_in_pieces(
    pipeline: Any, module: Any, tmp_path: Path, groups: int, target: str
) -> None:
    raw = rows_of(200).assign(day=pd.Timestamp("2024-05-01"), kind=lambda rows: rows["kind"].astype("category"))
    raw.to_parquet(tmp_path / "in.parquet", row_group_size=groups)

    told = module.score_file(pipeline, tmp_path / "in.parquet", tmp_path / target, rows=50)

    read = pd.read_parquet if target.endswith("parquet") else pd.read_csv
    scored = read(tmp_path / target)
    assert told["rows"] == len(scored) == 200
    assert scored["prediction"].tolist() == pipeline.predict(raw).tolist()
    if target.endswith("parquet"):
        pd.testing.assert_frame_equal(scored.drop(columns="prediction"), pd.read_parquet(tmp_path / "in.parquet"))


def test_a_quote_that_is_left_open_does_not_take_the_file_into_memory(
    pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = importlib.import_module(f"{NAME}.v0001.runtime.tables")
    monkeypatch.setattr(tables, "_LONGEST_FIELD", 1000)
    source = written(rows_of(200), tmp_path / "in.csv")
    header, first, *others = source.read_text().splitlines()
    source.write_text("\n".join([header, first, '"' + others[0], *others[1:]]))

    with pytest.raises(module.ScoreError, match=r"in\.csv cannot be read as csv: .*is a quote left open\?"):
        module.score_file(pipeline, source, tmp_path / "out.csv", rows=50)


def test_a_row_group_is_not_read_at_once(pipeline: Any, module: Any, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    signs = np.random.default_rng(0).integers(97, 123, (40_000, 400), dtype=np.uint8)
    notes = [row.tobytes().decode() for row in signs]
    rows_of(40_000).assign(note=notes).to_parquet(tmp_path / "in.parquet", row_group_size=40_000)
    tables = importlib.import_module(f"{NAME}.v0001.runtime.tables")
    read = tables.source_of(tmp_path / "in.parquet", pipeline.contract.read, pipeline.features.schema_)
    before, held, count = pyarrow.total_allocated_bytes(), [], 0

    for piece in read.pieces(500):
        held.append(pyarrow.total_allocated_bytes() - before)
        count += piece.rows

    assert count == 40_000
    assert max(held) < (tmp_path / "in.parquet").stat().st_size / 2


def test_csv_becomes_parquet_with_its_text(pipeline: Any, module: Any, tmp_path: Path) -> None:
    source = written(rows_of(50), tmp_path / "in.csv")

    module.score_file(pipeline, source, tmp_path / "out.parquet", rows=20)

    scored = pd.read_parquet(tmp_path / "out.parquet")
    assert scored["note"].tolist()[:2] == ["000", "001"]
    assert scored["prediction"].dtype == np.float64


BAD: dict[int, dict[str, Any]] = {
    3: {"age": "old"},
    17: {"heating": None, "rooms": "many"},
    18: {"sold": "no day"},
    55: {"heating": None},
    99: {"area": "wide"},
}
REASONS = {
    4: "age: 'old' is not a number",
    18: "rooms: 'many' is not a number; heating: training has no missing value",
    19: "ValueError: ",
    56: "heating: training has no missing value",
    100: "area: 'wide' is not a number",
}


@pytest.mark.parametrize("kind, jobs", [("csv", 1), ("parquet", 1), ("csv", 2)])
def test_bad_rows_go_to_their_own_file_with_number_and_reasons(
    pipeline: Any, module: Any, tmp_path: Path, kind: str, jobs: int
) -> None:
    source = written(broken(rows_of(100), BAD), tmp_path / "in.csv")
    bad, target = tmp_path / f"bad.{kind}", tmp_path / f"out.{kind}"

    told = module.score_file(pipeline, source, target, rows=20, bad_rows=bad, jobs=jobs)

    read = pd.read_parquet if kind == "parquet" else lambda path: pd.read_csv(path, dtype=str, keep_default_na=False)
    aside, scored = read(bad), read(target)
    whole = pd.read_csv(source, dtype=str, keep_default_na=False)
    good = [row for row in range(100) if row not in BAD]
    assert (told["rows"], told["bad"]) == (95, 5)
    assert aside["row"].astype(int).tolist() == list(REASONS)
    assert all(given.startswith(reason) for given, reason in zip(aside["reason"], REASONS.values(), strict=True)), (
        aside["reason"]
    )
    assert aside.drop(columns=["row", "reason"]).to_numpy().tolist() == whole.iloc[list(BAD)].to_numpy().tolist()
    assert scored.drop(columns="prediction").to_numpy().tolist() == whole.iloc[good].to_numpy().tolist()
    assert scored["prediction"].astype(float).tolist() == pipeline.predict(rows_of(100).iloc[good]).tolist()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_bad_rows_of_parquet_keep_their_types(pipeline: Any, module: Any, tmp_path: Path, kind: str) -> None:
    raw = rows_of(100)
    raw.loc[[5, 80], "heating"] = None
    raw.to_parquet(tmp_path / "in.parquet")

    told = module.score_file(
        pipeline, tmp_path / "in.parquet", tmp_path / "out.parquet", rows=30, bad_rows=tmp_path / f"bad.{kind}"
    )

    aside = pd.read_parquet(tmp_path / "bad.parquet") if kind == "parquet" else pd.read_csv(tmp_path / "bad.csv")
    assert (told["rows"], told["bad"]) == (98, 2)
    assert aside["row"].tolist() == [6, 81]
    assert aside["area"].tolist() == raw["area"].iloc[[5, 80]].tolist()


def test_a_record_with_too_many_fields_is_a_bad_row(pipeline: Any, module: Any, tmp_path: Path) -> None:
    lines = written(rows_of(6), tmp_path / "in.csv").read_text().splitlines()
    lines[3] += ",one,more"
    lines[5] = lines[5].rpartition(",")[0]  # the last field, a note, is missing: pandas reads a gap
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n")

    told = module.score_file(pipeline, tmp_path / "in.csv", tmp_path / "out.csv", bad_rows=tmp_path / "bad.csv")

    aside, scored = pd.read_csv(tmp_path / "bad.csv"), pd.read_csv(tmp_path / "out.csv")
    assert (told["rows"], told["bad"]) == (5, 1)
    assert aside[["row", "reason"]].to_numpy().tolist() == [[3, "11 fields, where the header has 9"]]
    assert scored["prediction"].tolist() == pipeline.predict(rows_of(6).drop(index=2)).tolist()
    with pytest.raises(module.ScoreError, match=r"^row 3: 11 fields, where the header has 9$"):
        module.score_file(pipeline, tmp_path / "in.csv", tmp_path / "out.csv")


@pytest.mark.parametrize("rows, jobs", [(10, 1), (1000, 1), (10, 2)])
def test_without_a_file_for_them_the_first_bad_row_stops(
    pipeline: Any, module: Any, tmp_path: Path, rows: int, jobs: int
) -> None:
    source = written(broken(rows_of(100), {row: BAD[row] for row in (17, 55, 99)}), tmp_path / "in.csv")

    with pytest.raises(module.ScoreError, match=r"^row 18: rooms: 'many' is not a number$") as error:
        module.score_file(pipeline, source, tmp_path / "out.csv", rows=rows, jobs=jobs)

    assert "--bad-rows" in error.value.hint
    assert not (tmp_path / "out.csv").exists()
    if rows == 10:
        told = module.score_file(pipeline, source, tmp_path / "out.csv", rows=rows, bad_rows=tmp_path / "bad.csv")
        assert (told["rows"], told["bad"]) == (97, 3)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv", "in.csv", "out.csv"]


@pytest.mark.parametrize(
    "policy, rows, bad", [("flag", 30, 0), ("default", 30, 0), ("reject", 29, 1)], ids=["flag", "default", "reject"]
)
def test_the_row_policy_decides_on_rows_outside_of_training(
    pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, rows: int, bad: int
) -> None:
    contract = importlib.import_module(f"{NAME}.v0001.runtime.contract")
    parts = (
        json.loads((pipeline.folder / "contract.json").read_text()),
        json.loads((pipeline.folder / "state" / "schema.json").read_text()),
    )
    monkeypatch.setattr(
        pipeline, "contract", contract.Contract.from_parts({**parts[0], "policy": policy, "default": -1.5}, parts[1])
    )
    source = written(broken(rows_of(30), {7: {"age": 4000}}), tmp_path / "in.csv")

    told = module.score_file(pipeline, source, tmp_path / "out.csv", rows=12, bad_rows=tmp_path / "bad.csv")

    scored = pd.read_csv(tmp_path / "out.csv")
    assert (told["rows"], told["bad"]) == (rows, bad)
    assert (scored["prediction"].iloc[7] == -1.5) == (policy == "default")
    assert told["flags"].get("age", 0) == (policy != "reject")
    if bad:
        assert "4000 is outside of" in pd.read_csv(tmp_path / "bad.csv")["reason"].iloc[0]


@pytest.mark.parametrize(
    "change, message",
    [
        pytest.param(lambda rows: rows.drop(columns="age"), "^age: this column is required$", id="a-missing-column"),
        pytest.param(lambda rows: rows.assign(prediction=1), "already has a column 'prediction'", id="a-prediction"),
        pytest.param(lambda rows: rows.assign(row=1), "already has a column 'row'", id="a-column-of-bad-rows"),
    ],
)
def test_what_no_row_is_at_fault_for_is_told_as_that(
    pipeline: Any, module: Any, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    source = written(change(rows_of(5)), tmp_path / "in.csv")

    with pytest.raises(module.ScoreError, match=message):
        module.score_file(pipeline, source, tmp_path / "out.csv", bad_rows=tmp_path / "bad.csv")

    assert sorted(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    "name, content, message",
    [
        pytest.param("in.csv", b"", "is empty: there is not even a header", id="nothing"),
        pytest.param(
            "in.csv.gz", gzip.compress(b"a,b\n1,2\n" * 9999)[:-20], "cannot be read as csv", id="cut-off-gzip"
        ),
        pytest.param("in.csv.gz", b"a,b\n1,2\n", "cannot be read as csv", id="no-gzip"),
        pytest.param("in.csv", b"area\n\xff\xfe\n", "cannot be read as csv", id="not-the-encoding"),
        pytest.param("in.parquet", b"PAR1 or so", "cannot be read as Parquet", id="no-parquet"),
        pytest.param("in.json", b"{}", "is neither .csv", id="another-kind"),
    ],
)
def test_a_file_that_is_no_table_is_told_as_that(
    pipeline: Any, module: Any, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(module.ScoreError, match=message):
        module.score_file(pipeline, tmp_path / name, tmp_path / "out.csv")

    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_open_quote_is_told_with_the_rows(pipeline: Any, module: Any, tmp_path: Path) -> None:
    lines = written(rows_of(9), tmp_path / "in.csv").read_text().splitlines()
    (tmp_path / "in.csv").write_text("\n".join([*lines[:5], '"' + lines[5], *lines[6:]]))

    with pytest.raises(module.ScoreError, match="rows 1 to 5 cannot be read: "):
        module.score_file(pipeline, tmp_path / "in.csv", tmp_path / "out.csv")


@pytest.mark.parametrize("places", [("none/out.csv", None), ("out.csv", "none/bad.csv")], ids=["target", "bad rows"])
def test_a_folder_that_is_not_there_is_told(
    pipeline: Any, module: Any, tmp_path: Path, places: tuple[str, str | None]
) -> None:
    source = written(rows_of(5), tmp_path / "in.csv")
    target, bad = (None if each is None else tmp_path / each for each in places)

    with pytest.raises(module.ScoreError, match=r"there is no folder .*none, where (out|bad)\.csv should go"):
        module.score_file(pipeline, source, target, bad_rows=bad)


def test_the_input_is_not_written_over(pipeline: Any, module: Any, tmp_path: Path) -> None:
    source = written(rows_of(5), tmp_path / "in.csv")
    (tmp_path / "link.csv").symlink_to(source)

    for target, bad in ((source, None), (tmp_path / "link.csv", None), (tmp_path / "o.csv", source)):
        with pytest.raises(module.ScoreError, match="name another file"):
            module.score_file(pipeline, source, target, bad_rows=bad)
    with pytest.raises(module.ScoreError, match="is where the scored rows go"):
        module.score_file(pipeline, source, tmp_path / "o.csv", bad_rows=tmp_path / "o.csv")


def started(root: Path, folder: Path, *words: str, wait_for: int = 2) -> subprocess.Popen[str]:
    """A run of its own that has done so many pieces, and is stopped there by the system until it is killed."""
    process = subprocess.Popen(command(root, *words), cwd=folder, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            (journal,) = folder.glob(".out.*.parts/journal.jsonl")
            if json.loads(journal.read_text().splitlines()[-1])["progress"]["pieces"] >= wait_for:
                process.send_signal(signal.SIGSTOP)
                return process
        except ValueError:
            pass
        time.sleep(0.01)
    raise AssertionError(process.communicate())


@pytest.mark.skipif(os.name == "nt", reason="stops a process by signals")
@pytest.mark.parametrize("kind, jobs", [("csv", "2"), ("csv.gz", "1"), ("parquet", "2")])
def test_a_killed_run_is_gone_on_with_and_gives_the_same_bytes(
    pipeline: Any, module: Any, root: Path, tmp_path: Path, kind: str, jobs: str
) -> None:
    raw = pd.concat([broken(rows_of(100), {row: BAD[row] for row in (17, 55)} if kind != "parquet" else {})] * 20)
    if kind == "parquet":
        pd.concat([rows_of(100)] * 20).to_parquet(tmp_path / "in.parquet", row_group_size=700)
    else:
        raw.to_csv(tmp_path / f"in.{kind}", index=False)
    words = [f"in.{kind}", f"out.{kind}", "--rows", "50", "--bad-rows", f"bad.{kind}", "--jobs", jobs]
    module.score_file(
        pipeline, tmp_path / f"in.{kind}", tmp_path / f"whole.{kind}", rows=50, bad_rows=tmp_path / f"b.{kind}"
    )

    process = started(root, tmp_path, *words)
    try:
        second = subprocess.run(command(root, *words), cwd=tmp_path, capture_output=True, text=True, check=False)
    finally:
        process.kill()
        process.communicate()
    assert not (tmp_path / f"out.{kind}").exists()
    (journal,) = tmp_path.glob(".out.*.parts/journal.jsonl")
    with journal.open("a") as file:
        file.write(journal.read_text().splitlines()[-1][:40])  # as if it was killed within an entry
    third = subprocess.run(command(root, *words), cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (second.returncode, third.returncode) == (2, 0), (second.stderr, third.stderr)
    assert f"another process is writing out.{kind}: wait for it" in second.stderr
    assert "going on behind row " in third.stderr
    assert (tmp_path / f"out.{kind}").read_bytes() == (tmp_path / f"whole.{kind}").read_bytes()
    assert (tmp_path / f"bad.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.skipif(os.name == "nt", reason="asks the system for a process's children")
def test_a_killed_run_leaves_no_process(root: Path, tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    written(pd.concat([rows_of(100)] * 100), tmp_path / "in.csv")
    process = started(root, tmp_path, "in.csv", "out.csv", "--rows", "50", "--jobs", "2")

    children = psutil.Process(process.pid).children()
    process.kill()
    process.communicate()

    assert len(children) == 2
    assert psutil.wait_procs(children, timeout=60)[1] == []


def test_a_folder_gives_no_file_its_place(pipeline: Any, module: Any, tmp_path: Path) -> None:
    source = written(rows_of(20), tmp_path / "in.csv")
    (tmp_path / "out.csv").mkdir()
    (tmp_path / "out.csv" / "work.txt").write_text("mine")

    with pytest.raises((IsADirectoryError, PermissionError), match=r"out\.csv"):
        module.score_file(pipeline, source, tmp_path / "out.csv")

    assert (tmp_path / "out.csv" / "work.txt").read_text() == "mine"


class Full(OSError):
    """A disk that has no room left."""

    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "change, said",
    [
        pytest.param(lambda _: None, "going on behind row 60", id="nothing-has-changed"),
        pytest.param(
            lambda folder: (folder / "in.csv").write_text((folder / "in.csv").read_text() + "\n"),
            "an earlier run of this was of other things (the input): starting anew",
            id="another-input",
        ),
        pytest.param(
            lambda folder: (folder / ".out.csv.parts" / "scored").unlink(),
            "an earlier run of this was of other things (the parts): starting anew",
            id="parts-that-are-gone",
        ),
    ],
)
def test_a_full_disk_is_told_and_gone_on_from(
    pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, change: Any, said: str
) -> None:
    source = written(rows_of(200), tmp_path / "in.csv")
    parts = importlib.import_module(f"{NAME}.v0001.runtime.parts")
    add, calls = parts.Parts.add, []

    def full(self: Any, *content: Any) -> None:
        calls.append(content)
        if len(calls) == 4:
            with (self.folder / "scored").open("ab") as file:
                file.write(b"half of a pie")
            raise Full
        add(self, *content)

    with monkeypatch.context() as patch:
        patch.setattr(parts.Parts, "add", full)
        with pytest.raises(module.ScoreError, match=r"there is no room for .*: it stopped behind row 60") as error:
            module.score_file(pipeline, source, tmp_path / "out.csv", rows=20)
    assert "goes on" in error.value.hint
    assert not (tmp_path / "out.csv").exists()
    change(tmp_path)
    told = module.score_file(pipeline, source, tmp_path / "out.csv", rows=20)

    assert said in capsys.readouterr().err
    assert told["rows"] == 200
    assert pd.read_csv(tmp_path / "out.csv")["prediction"].tolist() == pipeline.predict(rows_of(200)).tolist()


def test_other_options_or_another_state_start_anew(
    pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    source = written(broken(rows_of(100), {90: BAD[99]}), tmp_path / "in.csv")
    for rows, version, said in (
        (20, None, ""),
        (20, None, "going on behind row 80"),
        (10, None, "(the options): starting anew"),
        (10, "another", "(the version): starting anew"),
    ):
        if version:
            monkeypatch.setattr(module, "sha256", lambda _: "another")
        with pytest.raises(module.ScoreError, match=r"^row 91: "):
            module.score_file(pipeline, source, tmp_path / "out.csv", rows=rows)
        assert said in capsys.readouterr().err


def test_a_process_that_dies_is_told(
    pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(rows_of(20), tmp_path / "in.csv")
    workers = importlib.import_module(f"{NAME}.v0001.runtime.workers")
    monkeypatch.setattr(workers, "_WORK", "import os, sys; os.kill(os.getpid(), 9)")

    with pytest.raises(module.ScoreError, match="a process that scores ended with -9; where memory was short"):
        module.score_file(pipeline, source, tmp_path / "out.csv", jobs=2)

    assert sorted(tmp_path.iterdir()) == [source]


def test_only_a_terminal_is_shown_progress(module: Any) -> None:
    progress = importlib.import_module(f"{NAME}.v0001.runtime.progress")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = {}
    for kind in (Terminal, io.StringIO):
        line = progress.Line(stream=kind())
        line.show(1000, 0.25)
        line.end()
        shown[kind] = line._stream.getvalue()

    assert shown[io.StringIO] == ""
    assert shown[Terminal].startswith("\r 25%  1,000 rows  ")
    assert " left" in shown[Terminal]
    assert shown[Terminal].endswith("\r")


def test_a_whole_batch_is_one_piece_for_one_process(
    pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    source = written(rows_of(40), tmp_path / "in.csv")
    judged: list[int] = []
    judge = type(pipeline).judge
    monkeypatch.setattr(type(pipeline.features), "around", ("*",))
    monkeypatch.setattr(pipeline.features, "anchors_", None)  # a batch has none
    monkeypatch.setattr(type(pipeline), "judge", lambda self, rows: (judged.append(len(rows)), judge(self, rows))[1])

    module.score_file(pipeline, source, tmp_path / "out.csv", rows=7, jobs=2)

    assert judged == [40]
    assert "the file is one batch, for one process" in capsys.readouterr().err
    assert len(pd.read_csv(tmp_path / "out.csv")) == 40
    with pytest.raises(module.ScoreError, match="no row can be left out"):
        module.score_file(pipeline, source, tmp_path / "out.csv", bad_rows=tmp_path / "bad.csv")


def test_rows_that_the_model_is_not_sure_of_are_counted_apart(
    pipeline: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(rows_of(12), tmp_path / "in.csv")
    faults = importlib.import_module(f"{NAME}.v0001.runtime.faults")
    judge = type(pipeline).judge

    def unsure(self: Any, rows: Any) -> Any:
        answers, flags = judge(self, rows)
        return answers, [*flags, faults.Fault(0, "", "unsure", "the model is not sure", "flag")]

    monkeypatch.setattr(type(pipeline), "judge", unsure)

    told = module.score_file(pipeline, source, tmp_path / "out.csv", rows=4)

    assert (told["rows"], told["unsure"], "unanswered" in told) == (12, 3, False)
    assert "" not in told["flags"]
