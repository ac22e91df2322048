"""The texts of the target `spark`, without a Spark: what they name, that they stand alone, and what is refused."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from nbprod.api.scoring_on_spark import score_on_spark
from nbprod.deploy import spark_job
from nbprod.deploy.spark import job_text
from nbprod.deploy.targets import TARGETS
from nbprod.errors import NbprodError
from nbprod.model.deployment import Deployment
from tests.codegen.runtime.sample import on_the_path
from tests.deploy.deployments import LEAST, MOST, ODD, blocks, shell, written

FOLDER = "deploy/sales/spark"


def texts(deployment: Deployment = LEAST) -> dict[str, str]:
    return {file.path: file.text for file in TARGETS["spark"].files(deployment, FOLDER)}


def test_files_are_the_same_each_time_and_name_the_version() -> None:
    made = texts()

    assert made == texts()
    assert sorted(made) == [f"{FOLDER}/{name}" for name in ("README.md", "requirements.txt", "score_spark.py")]
    job = made[f"{FOLDER}/score_spark.py"]
    for line in (
        f'DIGEST = "{LEAST.digest}"',
        'NAME = "sales"',
        'VERSION = "v0003"',
        'PACKAGES = "../../../pipelines"',
    ):
        assert f"\n{line}\n" in job
    assert made[f"{FOLDER}/requirements.txt"].splitlines()[-2:] == ["scikit-learn==1.9.1", "pyarrow>=18"]
    assert all("nbprod deploy sales spark" in text for text in made.values())


@pytest.mark.parametrize("name", ["my packages", 'pi"pe', "pi\\pe", "pi\npe", "pi'pe", "Flüsse"])
def test_a_folder_of_packages_may_have_any_name(name: str) -> None:
    job = ast.parse(texts(replace(MOST, packages=name))[f"{FOLDER}/score_spark.py"])

    given = {ast.unparse(each.targets[0]): each.value for each in job.body if isinstance(each, ast.Assign)}
    assert ast.literal_eval(given["PACKAGES"]) == f"../../../{name}"


def test_what_is_told_of_clusters_runs_in_the_root_of_the_project(tmp_path: Path) -> None:
    folder = written(MOST, "spark", tmp_path, ODD)
    package = tmp_path / MOST.package
    package.mkdir(parents=True)
    (package / "versions.json").write_text("{}")
    record = 'for word in "$@"; do case $word in *.py|*.zip*) printf "%s\\n" "$word";; esac; done'

    _, plain, shipped = blocks((folder / "README.md").read_text())
    job = str((folder / "score_spark.py").relative_to(tmp_path))
    assert shell(plain, tmp_path, spark_submit=record).splitlines() == [job]
    told = shell(shipped, tmp_path, spark_submit=record).splitlines()
    assert told == ["environment.tar.gz#environment,packages.zip#packages", job]
    with zipfile.ZipFile(tmp_path / "packages.zip") as archive:
        assert f"{MOST.name}/versions.json" in archive.namelist()


def test_the_job_imports_nothing_but_the_standard_library_and_is_read_by_python_3_9() -> None:
    job = job_text("sales", "v0003", "", ".")
    tree = ast.parse(job, feature_version=(3, 9))

    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    assert imported <= sys.stdlib_module_names


def test_a_job_without_its_package_says_what_is_missing(tmp_path: Path) -> None:
    job = tmp_path / "score_spark.py"
    job.write_text(job_text("sales", "v0003", "", "."))

    done = subprocess.run([sys.executable, str(job), "in", "out"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"error: there is no sales/v0003 in {tmp_path}",
        "hint: name the folder of the packages: --packages DIR",
    ]


@pytest.mark.parametrize("words", [["--fit"], []], ids=["to fit", "to score"])
def test_a_job_for_other_code_than_that_which_is_there_is_refused(tmp_path: Path, words: list[str]) -> None:
    job = tmp_path / "score_spark.py"
    job.write_text(job_text("sparked_houses", "v0001", "f" * 32, "."))
    with on_the_path(tmp_path, "sparked_houses"):
        done = subprocess.run(
            [sys.executable, str(job), "in", "out", *words], capture_output=True, text=True, check=False, cwd=tmp_path
        )

    assert done.returncode == 2
    assert "error: sparked_houses on this worker has another code (0123456789ab) than the one asked for" in done.stderr
    assert "hint: nbprod deploy sparked_houses spark, for what is there" in done.stderr


@pytest.mark.parametrize(
    "places",
    [
        pytest.param({"IN": "s3a://a/rows", "OUT": "s3a://a/rows"}, id="OUT is IN"),
        pytest.param({"IN": "file:/a/rows/x.parquet", "OUT": "file:/a/rows"}, id="IN lies in OUT"),
        pytest.param({"IN": "file:/a/rows", "OUT": "file:/a/rows/scored"}, id="OUT lies in IN"),
        pytest.param({"IN": "s3a://a/in", "OUT": "s3a://a/out", "--bad-rows": "s3a://a/out"}, id="BAD is OUT"),
        pytest.param({"IN": "s3a://a/in", "OUT": "s3a://a/out/", "--bad-rows": "s3a://a/out/bad"}, id="BAD in OUT"),
        pytest.param({"IN": "s3a://a/in", "OUT": "s3a://a/out", "--metrics": "s3a://a/in/m.json"}, id="metrics in IN"),
        pytest.param({"IN": "file:/a", "OUT": "file:/"}, id="the root"),
    ],
)
def test_places_that_are_one_or_lie_in_one_another_are_refused(places: dict[str, str]) -> None:
    with pytest.raises(spark_job.JobError, match="are one place, or one of them lies in the other"):
        spark_job.hold_apart(list(places.items()))


def test_places_beside_one_another_are_taken() -> None:
    places = [("IN", "s3a://a/2025/*"), ("IN", "s3a://a/2025/01"), ("IN", "s3a://a/2025/01")]

    spark_job.hold_apart([*places, ("OUT", "s3a://a/2025.scored"), ("--bad-rows", "s3a://b/2025/01")])


def test_a_version_that_answers_batches_is_refused_with_the_way_out() -> None:
    with pytest.raises(NbprodError) as caught:
        texts(replace(LEAST, serves="batch"))

    assert (caught.value.code, "nbprod score sales IN OUT" in (caught.value.hint or "")) == ("batch-only", True)


def test_an_interpreter_without_pyspark_is_named_with_the_command_that_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbprod.api import scoring_on_spark
    from nbprod.api.packages import Target
    from nbprod.api.serving import Fitted
    from nbprod.config import Config, Project
    from nbprod.model.run import Version

    monkeypatch.setattr(scoring_on_spark, "NEEDED", ("pyspark_that_is_nowhere",))
    monkeypatch.setattr(scoring_on_spark, "manifest_of", lambda *_: {})
    monkeypatch.setattr(scoring_on_spark, "version_folder", lambda *_: tmp_path)
    target = Target("sales", tmp_path, Project(tmp_path, Config()))
    version = Version(3, "ab" * 16, "2026-01-01T00:00:00Z", "sales.ipynb", None, "")

    with pytest.raises(NbprodError) as caught:
        score_on_spark(Fitted(target, version, sys.executable), "in", "out")

    assert caught.value.code == "no-engine"
    assert "-m pip install pyspark 'pyarrow>=18'" in (caught.value.hint or "")
    assert "requirements.lock" in (caught.value.hint or "")
