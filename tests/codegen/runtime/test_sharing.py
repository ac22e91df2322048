"""What the processes of one service tell each other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from nbprod.codegen.runtime.metrics import BUCKETS, Metrics, Told, text_of
from nbprod.codegen.runtime.sharing import Shared


def counted(requests: int = 1, under_way: int = 0) -> Told:
    metrics = Metrics()
    for _ in range(requests):
        metrics.count("v0001", "/predict", 200, 0.002)
        metrics.observe("v0001", ["a", 1.5], [])
    return metrics.told(under_way, {"written": requests, "dropped": 0}, None)


def a_dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def told_by_another(folder: Path, number: int, told: Told, process: int) -> None:
    text = json.dumps({"process": process, "main": "v0002", "told": told.to_json()})
    (folder / f"{number}.json").write_text(text, encoding="utf-8")


def test_what_was_told_is_read_as_it_was() -> None:
    told = counted(3, under_way=2)

    assert Told.of_json(json.loads(json.dumps(told.to_json()))) == told


@pytest.mark.parametrize(
    "is_alive, expected",
    [
        pytest.param(True, {"requests": 5, "under_way": 4, "processes": 2}, id="one that lives"),
        pytest.param(False, {"requests": 5, "under_way": 1, "processes": 1}, id="one that is no more"),
    ],
)
def test_the_others_are_added(is_alive: bool, expected: dict[str, int], tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        told_by_another(tmp_path, 2, counted(3, under_way=3), other.pid if is_alive else a_dead_process())
        together = Shared(tmp_path, 1).together(counted(2, under_way=1))
        other.communicate(b"\n")

    assert {
        "requests": together.counts["requests"]["v0001", "/predict", 200],
        "under_way": together.under_way,
        "processes": together.processes,
    } == expected
    assert together.latency["v0001"][BUCKETS.index(0.0025)] == 5
    assert together.sums["v0001"] == [5.0, 7.5, 5 * 2.25]
    assert together.counts["recorded"] == Counter({("written",): 5, ("dropped",): 0})
    assert (together.memory > 10**6, together.starts) == (True, 2)


def test_a_process_counts_on_where_the_one_before_it_ended(tmp_path: Path) -> None:
    told_by_another(tmp_path, 1, counted(7, under_way=3), a_dead_process())
    for requests in (1, 2):
        shared = Shared(tmp_path, 1)
        shared.write(counted(requests), "v0001")
    together = Shared(tmp_path, 2).together(counted(0))

    assert together.counts["requests"]["v0001", "/predict", 200] == 10
    assert together.counts["predictions"]["v0001", "a"] == 10
    assert together.starts == 4
    assert together.under_way == 0


def test_the_version_of_the_others_is_that_of_one_that_lives(tmp_path: Path) -> None:
    told_by_another(tmp_path, 2, counted(), a_dead_process())
    assert Shared(tmp_path, 1).main() is None

    Shared(tmp_path, 3).write(counted(), "v0007")
    assert Shared(tmp_path, 1).main() == "v0007"


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shared = Shared(tmp_path / "gone", 1)
    for _ in range(3):
        shared.write(counted(), "v0001")

    (line,) = capsys.readouterr().err.splitlines()
    assert "not shared with the other workers" in json.loads(line)["error"]


def test_several_processes_are_told_as_such() -> None:
    text = text_of("barns", [], counted().with_(counted()), is_shared=True, follows=False)
    samples = {sample.name: sample.value for each in text_string_to_metric_families(text) for sample in each.samples}

    assert samples["pipeline_workers"] == samples["pipeline_worker_starts_total"] == 2
    assert samples["pipeline_follows"] == 0
    assert "pipeline_workers" not in text_of("barns", [], counted())
