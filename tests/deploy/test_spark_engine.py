"""The job on a real Spark: answers equal to the bit to those of one machine, and what may go wrong with workers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

import nbprod
from nbprod.versions.state import state_digest

pytestmark = pytest.mark.spark
ROOT = Path(__file__).parents[2]
SCENARIOS = Path(__file__).with_name("spark_scenarios.py")
ROWS, PARTS = 6000, 5
BAD = (17, 4211)
EXAMPLES = {"titanic": ("data/train.csv", "Sex"), "housing": ("data/housing.csv", "population")}


FRAMES = """
import json
import titanic.v0001.runtime.partitions
from pyspark.sql import SparkSession, types

{snippet}
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
rows = spark.read.parquet({source!r})
names = {{"prediction": types.LongType(), "_nbprod_reason": types.StringType(), "_nbprod_told": types.StringType()}}
schema = types.StructType([*rows.schema.fields, *(types.StructField(name, kind) for name, kind in names.items())])
made = rows.mapInPandas(answered, schema).orderBy("key").collect()
print(json.dumps([row.prediction for row in made]))
"""


class Ran(NamedTuple):
    project: Path
    folder: Path
    temporary: Path
    python: str
    came: dict[str, dict[str, Any]]
    name: str


def nbprod_in(folder: Path, *words: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(Path(nbprod.__file__).parents[1])}
    command = [sys.executable, "-m", "nbprod", *words, "--format", "json", "--quiet"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def write_parts(rows: pd.DataFrame, folder: Path, parts: int) -> None:
    folder.mkdir()
    size = -(-len(rows) // parts)
    for number in range(parts):
        rows.iloc[number * size : (number + 1) * size].to_parquet(folder / f"p{number}.parquet", index=False)


def read_parts(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder).sort_values("key", ignore_index=True)


@pytest.fixture(scope="module", params=EXAMPLES)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """An example's rows, multiplied and spread over parts, scored by the job in one JVM under all scenarios."""
    python = os.environ.get("NBPROD_SPARK")
    if not python:
        pytest.skip("NBPROD_SPARK does not name an interpreter with pyspark (make test-spark does)")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none here")
    name = request.param
    data, column = EXAMPLES[name]
    folder = tmp_path_factory.mktemp("spark") / "it's my rows"
    project = shutil.copytree(ROOT / "examples" / name, folder / "project")
    nbprod_in(project, "run", tomllib.loads((project / "demo.toml").read_text())["notebook"], "--auto", "--no-verify")
    job = nbprod_in(project, "deploy", name, "spark")
    raw = pd.read_csv(project / data)
    rows = pd.concat([raw] * (ROWS // len(raw) + 1), ignore_index=True).iloc[:ROWS]
    write_parts(rows, folder / "train", 3)
    rows["key"] = rows.index
    write_parts(rows, folder / "good", PARTS)
    lacking = rows.copy()
    lacking.loc[list(BAD), column] = None
    write_parts(lacking, folder / "in", PARTS)
    (folder / "csv").mkdir()
    for number in range(2):
        rows.iloc[number::2].to_csv(folder / "csv" / f"c{number}.csv", index=False)
    spoil(folder)
    words = [str(project / job["folder"] / "score_spark.py"), str(project / "pipelines"), str(folder)]
    words += ["all"] if name == "titanic" else []
    temporary = folder / "temporary"
    temporary.mkdir()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"TMPDIR": str(temporary)}
    done = subprocess.run(
        [python, str(SCENARIOS), *words], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    came = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"name"')]
    assert came, done.stderr[-3000:]
    return Ran(project, folder, temporary, python, {each["name"]: each for each in came}, name)


def spoil(folder: Path) -> None:
    """Inputs with a part whose pages are damaged, and with one that is no Parquet; what another job has made; a package
    of an older state.
    """
    for name in ("broken", "junk"):
        shutil.copytree(folder / "good", folder / name)
    whole = bytearray((folder / "broken" / "p3.parquet").read_bytes())
    whole[4 : len(whole) // 2] = bytes(len(whole) // 2 - 4)
    (folder / "broken" / "p3.parquet").write_bytes(whole)
    (folder / "junk" / "p2.parquet").write_bytes(b"no Parquet at all")
    shutil.copytree(folder / "good", folder / "mine")
    (folder / "mine" / "_SUCCESS").touch()
    shutil.copytree(folder / "mine", folder / "mine2")
    (folder / "link").symlink_to(folder / "mine")
    shutil.copytree(folder / "project" / "pipelines", folder / "old")
    for fitted in (folder / "old").rglob("fitted.json"):
        fitted.write_text(fitted.read_text().replace('"python"', '"older": true, "python"'))


def test_answers_are_those_of_one_machine_to_the_bit(ran: Ran) -> None:
    told = nbprod_in(ran.project, "score", ran.name, str(ran.folder / "in"), "single", "--bad-rows", "bad")

    assert ran.came["parquet"]["code"] == 0, ran.came["parquet"]["said"]
    spark, single = read_parts(ran.folder / "out" / "parquet"), read_parts(ran.project / "single")
    pd.testing.assert_frame_equal(spark, single, check_exact=True)
    assert len(spark) == ROWS - len(BAD)
    counts = ran.came["parquet"]["told"]
    assert (counts["rows"], counts["bad"], counts["flags"]) == (told["rows"], told["bad"], told["flags"])
    assert counts["reasons"] == {f"{EXAMPLES[ran.name][1]}: null": len(BAD)}
    metrics = json.loads((ran.folder / "metrics.json").read_text())
    assert (metrics["rows"], metrics["bad"], metrics["digest"]) == (ROWS - len(BAD), len(BAD), told["digest"])
    assert metrics["seconds"] > 0


def test_bad_rows_have_a_table_of_their_own_with_part_row_and_reason(ran: Ran) -> None:
    bad = read_parts(ran.folder / "out" / "bad")

    size = -(-ROWS // PARTS)
    assert bad["key"].tolist() == list(BAD)
    assert bad["row"].tolist() == [place % size + 1 for place in list(BAD)]
    assert [Path(part).name for part in bad["part"]] == [f"p{place // size}.parquet" for place in list(BAD)]
    assert bad["reason"].str.endswith("fills none").all()


def test_csv_is_read_as_the_notebook_reads_it(ran: Ran) -> None:
    nbprod_in(ran.project, "score", ran.name, str(ran.folder / "csv"), "from_csv")

    assert ran.came["csv"]["code"] == 0, ran.came["csv"]["said"]
    made = pd.read_parquet(ran.folder / "out" / "csv").astype({"key": int}).sort_values("key", ignore_index=True)
    parts = [pd.read_csv(part, float_precision="round_trip") for part in (ran.project / "from_csv").glob("*.csv")]
    single = pd.concat(parts).sort_values("key", ignore_index=True)
    assert made["prediction"].tolist() == single["prediction"].tolist()
    assert made["key"].tolist() == list(range(ROWS))


def test_what_is_learned_on_spark_is_what_one_process_learns_of_the_same_parts(ran: Ran) -> None:
    assert ran.came["fitted"]["code"] == 0, ran.came["fitted"]["said"]
    assert ran.came["fitted"]["told"]["rows"] == ROWS
    spark, here = (ran.folder / "out" / each / ran.name / "v0001" / "state" for each in ("fitted", "fitted_here"))
    assert (spark / "learned.json").read_text() == (here / "learned.json").read_text()
    assert state_digest(spark) == state_digest(here)


def faults_of(ran: Ran) -> dict[str, dict[str, Any]]:
    if "killed" not in ran.came:
        pytest.skip("one example is enough for what may go wrong")
    return ran.came


@pytest.mark.parametrize("name", ["killed", "retried"])
def test_a_worker_that_is_killed_or_outdated_once_loses_and_doubles_no_row(ran: Ran, name: str) -> None:
    came = faults_of(ran)[name]

    assert came["code"] == 0, came["said"]
    made = read_parts(ran.folder / "out" / name)
    assert (made["key"].tolist(), came["told"]["rows"]) == (list(range(ROWS)), ROWS)
    expected = read_parts(ran.folder / "out" / "parquet")
    pd.testing.assert_series_equal(
        made["prediction"].drop(index=list(BAD)).reset_index(drop=True), expected["prediction"], check_exact=True
    )


@pytest.mark.parametrize(
    "name, said",
    [
        pytest.param("refused", "2 rows cannot be answered, the first of them row 18 of ", id="bad rows not asked for"),
        pytest.param("outdated", "on this worker has another learned state", id="an older package on one worker"),
        pytest.param("broken", "p3.parquet cannot be read as Parquet", id="damaged pages"),
        pytest.param("junk", "p2.parquet cannot be read as Parquet", id="a part that is no Parquet"),
    ],
)
def test_what_cannot_be_done_right_is_refused_and_leaves_nothing(ran: Ran, name: str, said: str) -> None:
    came = faults_of(ran)[name]

    assert (came["code"], said in came["said"]) == (2, True), came["said"]
    assert not (ran.folder / "out" / name).exists()
    assert [path.name for path in (ran.folder / "out").iterdir() if path.name.startswith(f".{name}.")] == []


@pytest.mark.parametrize(
    "name, said",
    [
        pytest.param("same", "are one place, or one of them lies in the other", id="OUT is IN"),
        pytest.param("linked", "are one place, or one of them lies in the other", id="OUT is IN by another name"),
        pytest.param("pattern", "are one place, or one of them lies in the other", id="OUT is one of IN"),
        pytest.param("within", "are one place, or one of them lies in the other", id="OUT lies in IN"),
        pytest.param("both", "are one place, or one of them lies in the other", id="BAD is OUT"),
        pytest.param("another", "mine2 is not what such a job has made", id="OUT is of another job"),
    ],
)
def test_what_is_not_the_jobs_to_write_stays(ran: Ran, name: str, said: str) -> None:
    came = faults_of(ran)[name]

    assert (came["code"], said in came["said"]) == (2, True), came["said"]
    assert not (ran.folder / "out" / name).exists()
    names = sorted(path.name for path in (ran.folder / "good").iterdir())
    for mine in ("mine", "mine2"):
        assert sorted(path.name for path in (ran.folder / mine).iterdir()) == ["_SUCCESS", *names]


def test_what_such_a_job_has_made_is_replaced_and_nothing_is_left(ran: Ran) -> None:
    came = faults_of(ran)["csv_again"]

    assert (came["code"], came["told"]["rows"]) == (0, ROWS), came["said"]
    marked = json.loads((ran.folder / "out" / "csv" / "_nbprod_spark.json").read_text())
    assert (marked["version"], marked["digest"]) == ("v0001", came["told"]["digest"])
    assert sorted(ran.temporary.iterdir()) == []


def test_the_batches_of_the_documentation_are_those_of_the_job(ran: Ran) -> None:
    faults_of(ran)
    text = (ROOT / "docs" / "spark.md").read_text(encoding="utf-8")
    snippet = text.partition("```python\n")[2].partition("```")[0]
    code = FRAMES.format(snippet=snippet.replace("v0003", "v0001"), source=str(ran.folder / "good"))
    environment = {**os.environ, "PYTHONPATH": str(ran.project / "pipelines"), "PYSPARK_PYTHON": ran.python}

    done = subprocess.run([ran.python, "-c", code], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    expected = read_parts(ran.folder / "out" / "killed")
    assert json.loads(done.stdout.splitlines()[-1]) == expected["prediction"].tolist()


@pytest.mark.parametrize("kind", ["good", "csv"])
def test_the_verb_runs_the_same_job_whatever_names_folders_have(ran: Ran, kind: str) -> None:
    faults_of(ran)
    where = ("--engine", "spark", "--python", ran.python, "--master", "local[2,4]")
    shutil.copytree(ran.folder / kind, ran.project / f"{kind} [100%] of #1")
    told = nbprod_in(ran.project, "score", "titanic", f"{kind} [100%] of #1", f"{kind} ? {{by verb}}", *where)

    assert (told["rows"], told["output"], told["version"]) == (ROWS, f"{kind} ? {{by verb}}", 1)
    made = read_parts(ran.project / told["output"]).astype({"key": int}).sort_values("key", ignore_index=True)
    expected = read_parts(ran.folder / "out" / "killed")
    assert made["prediction"].tolist() == expected["prediction"].tolist()
    if kind == "good":
        pd.testing.assert_frame_equal(made, expected, check_exact=True)
