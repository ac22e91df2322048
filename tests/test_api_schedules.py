"""Cadences, and the schedules that are written of them."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

import pytest

from nbprod.api.schedules import schedules
from nbprod.api.starting import init_project
from nbprod.config import read_config
from nbprod.deploy.records import RECORD, Before, Record, digest_of, record_bytes
from nbprod.errors import NbprodError
from nbprod.model.cadence import cron_of, longest_gap
from nbprod.model.workflow import Schedule

CADENCE = '[pipelines.sales]\nnotebook = "sales.ipynb"\n[pipelines.sales.retraining]\ncadence = "{}"\n'


@pytest.mark.parametrize(
    "cadence, cron",
    [
        pytest.param("hourly", "0 * * * *", id="hourly"),
        pytest.param("weekly", "0 3 * * 1", id="weekly"),
        pytest.param("monthly", "0 3 1 * *", id="monthly"),
        pytest.param("0 3 * * 1", "0 3 * * 1", id="five fields"),
        pytest.param("*/15  0-6,22 1 jan-JUN mon", "*/15 0-6,22 1 jan-JUN mon", id="lists, ranges, steps and names"),
        pytest.param("0-30/10 * * * *", "0-30/10 * * * *", id="a step in a range"),
    ],
)
def test_a_cadence_is_five_fields_of_cron(cadence: str, cron: str) -> None:
    assert cron_of(cadence) == cron


@pytest.mark.parametrize(
    "cron, days",
    [
        pytest.param("0 * * * *", 1 / 24, id="hourly"),
        pytest.param("*/15 * * * *", 0.25 / 24, id="each quarter of an hour"),
        pytest.param("0 3 * * *", 1.0, id="daily"),
        pytest.param("0 3,9 * * *", 18 / 24, id="twice a day, over the night"),
        pytest.param("30 3 * * 1", 7.0, id="weekly"),
        pytest.param("0 3 * * mon-fri", 3.0, id="on working days, over the weekend"),
        pytest.param("0 3 1 * *", 31.0, id="monthly"),
        pytest.param("0 3 1 jan,jul *", 184.0, id="twice a year"),
        pytest.param("0 3 1 * 1", 7.0, id="by either day"),
        pytest.param("0 3 29 2 *", 4 * 366.0, id="on leap days"),
        pytest.param("0 3 30 2 *", math.inf, id="never"),
    ],
)
def test_the_longest_time_between_two_moments_of_a_schedule(cron: str, days: float) -> None:
    assert longest_gap(cron) == pytest.approx(days)


@pytest.mark.parametrize(
    "cadence, reason",
    [
        pytest.param("30d", "none of hourly, daily, weekly, monthly", id="a duration"),
        pytest.param("Weekly", "nor the five fields", id="a capital"),
        pytest.param("0 3 * *", "nor the five fields", id="four fields"),
        pytest.param("60 3 * * 1", '"60" is no minute', id="a minute too late"),
        pytest.param("0 24 * * 1", '"24" is no hour', id="an hour too late"),
        pytest.param("0 3 0 * *", '"0" is no day of the month', id="no day"),
        pytest.param("0 3 * 13 *", '"13" is no month', id="no month"),
        pytest.param("0 3 * * 7", '"7" is no day of the week', id="a second Sunday, which GitHub does not know"),
        pytest.param("5-1 * * * *", '"5-1" is no minute', id="a range backwards"),
        pytest.param("*/0 * * * *", '"*/0" is no minute', id="a step of nothing"),
        pytest.param("5/10 * * * *", '"5/10" is no minute', id="a step without a range"),
        pytest.param("1,,2 * * * *", '"" is no minute', id="an empty part"),
        pytest.param("@weekly", "nor the five fields", id="a word of one cron alone"),
        pytest.param("; rm -rf", "nor the five fields", id="a command"),
    ],
)
def test_what_is_no_cadence_is_named_at_its_line(cadence: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "nbprod.toml"
    path.write_text('[pipelines.other.retraining]\ncadence = "daily"\n' + CADENCE.format(cadence))
    with pytest.raises(NbprodError) as caught:
        read_config(path)
    assert reason in caught.value.message
    assert caught.value.message.startswith('"pipelines.sales.retraining.cadence"')
    assert (caught.value.code, caught.value.where and caught.value.where.line) == ("bad-config", 6)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "nbprod.toml").write_text('output = "pipelines"\n' + CADENCE.format("0 5 * * 2"))
    return tmp_path


def test_a_workflow_is_written_that_is_found_again_and_kept(project: Path) -> None:
    path = project / ".github/workflows/nbprod-retrain-sales.yml"

    first = init_project(str(project), schedule="github")
    text = path.read_text()
    second = init_project(str(project), schedule="github")

    assert path.as_posix() in first["written"]
    assert (path.as_posix() in second["kept"], path.read_text()) == (True, text)
    assert "run: nbprod run sales --retrain --promote\n" in text
    assert [(each.file, each.cron) for each in schedules(project, "sales")] == [(path.name, "0 5 * * 2")]
    assert schedules(project, "sale") == ()


def test_the_workflow_is_what_github_reads(project: Path) -> None:
    import yaml

    init_project(str(project), schedule="github")
    value = yaml.safe_load((project / ".github/workflows/nbprod-retrain-sales.yml").read_text())
    steps = value["jobs"]["retrain"]["steps"]
    assert value[True]["schedule"] == [{"cron": "0 5 * * 2"}]
    assert [step["run"] for step in steps if "nbprod run" in step.get("run", "")] == [
        "nbprod run sales --retrain --promote"
    ]
    for step in steps:
        done = subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, capture_output=True, check=False)
        assert done.stderr == ""


@pytest.mark.parametrize("text", ["made: 2024-13-45", "[" * 3000], ids=["no date", "too deep to be read"])
def test_a_workflow_that_cannot_be_read_trains_nothing(project: Path, text: str) -> None:
    init_project(str(project), schedule="github")
    (project / ".github/workflows/a.yml").write_text(text)

    assert [each.file for each in schedules(project, "sales")] == ["nbprod-retrain-sales.yml"]


def test_a_workflow_with_another_schedule_is_left_as_it_is(project: Path) -> None:
    init_project(str(project), schedule="github")
    (project / "nbprod.toml").write_text(CADENCE.format("daily"))
    with pytest.raises(NbprodError) as caught:
        init_project(str(project), schedule="github")
    assert caught.value.code == "other-schedule"
    assert "has the schedule 0 5 * * 2, and the configuration asks for 0 3 * * *" in caught.value.message


def test_a_crontab_is_written_for_this_folder(project: Path) -> None:
    init_project(str(project), schedule="cron")
    _, line = (project / ".nbprod/crontab").read_text().splitlines()
    assert line.startswith(f"0 5 * * 2 cd {project.resolve()} && ")
    assert " -m nbprod run sales --retrain --promote --quiet >> " in line
    kept = init_project(str(project), schedule="cron")["kept"]
    assert (project / ".nbprod/crontab").as_posix() in kept


@pytest.mark.parametrize("place", ["deploy/sales/airflow", "ops/dags"])
def test_a_deployment_with_a_schedule_is_found_while_it_is_as_written(project: Path, place: str) -> None:
    folder = project / place
    folder.mkdir(parents=True)
    (folder / "dag.py").write_text("1\n")
    written = {f"{place}/dag.py": Before(digest_of("1\n"), "1\n")}
    (folder / RECORD).write_bytes(record_bytes(Record("sales", "airflow", schedule="0 5 * * 2", files=written)))
    assert schedules(project, "sales") == (Schedule(place, "0 5 * * 2"),)
    assert schedules(project, "other") == ()
    (folder / "dag.py").write_text("2\n")
    assert schedules(project, "sales") == ()
    (folder / RECORD).write_text("{")
    assert schedules(project, "sales") == ()


def test_without_a_cadence_there_is_nothing_to_schedule(tmp_path: Path) -> None:
    with pytest.raises(NbprodError) as caught:
        init_project(str(tmp_path), schedule="cron")
    assert caught.value.code == "no-cadence"
    assert not (tmp_path / "nbprod.toml").exists()
