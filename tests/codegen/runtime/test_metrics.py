"""The counters of a service, read back as Prometheus reads them."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from nbprod.codegen.runtime.faults import Fault
from nbprod.codegen.runtime.metrics import BUCKETS, MOST_CLASSES, MOST_FIELDS, OTHERS, Metrics


def read(metrics: Metrics, **options: Any) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Each sample by its name and labels."""
    given = {"name": "barns", "versions": [("v0001", "abc")], "under_way": 0, "recorded": {}, **options}
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.text(**given))
        for sample in family.samples
    }


def of(name: str, /, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_requests_are_counted_by_version_path_and_status() -> None:
    metrics = Metrics()
    for path, status in (("/predict", 200), ("/predict", 200), ("/predict", 422), ("/v2/models/a/infer", 200)):
        metrics.count("v0001", path, status, 0.001)

    read_back = read(metrics)
    counted = {path: read_back[of("pipeline_requests_total", version="v0001", path=path, status="200")]
               for path in ("/predict", "/v2/models/infer")}  # fmt: skip
    assert counted == {"/predict": 2, "/v2/models/infer": 1}
    assert read_back[of("pipeline_requests_total", version="v0001", path="/predict", status="422")] == 1


@pytest.mark.parametrize("seconds, bound", [(0.0001, BUCKETS[0]), (BUCKETS[1], BUCKETS[1]), (99.0, None)])
def test_a_latency_lies_in_the_bucket_of_its_bound(seconds: float, bound: float | None) -> None:
    metrics = Metrics()
    metrics.count("v0001", "/predict", 200, seconds)
    read_back = read(metrics)

    buckets = {
        le: read_back[of("pipeline_request_seconds_bucket", version="v0001", le=str(le))] for le in (*BUCKETS, "+Inf")
    }
    assert buckets == {le: float(le == "+Inf" or (bound is not None and float(le) >= bound)) for le in buckets}
    assert read_back[of("pipeline_request_seconds_sum", version="v0001")] == pytest.approx(seconds)
    assert read_back[of("pipeline_request_seconds_count", version="v0001")] == 1


def test_what_was_predicted_and_what_was_wrong_is_counted() -> None:
    metrics = Metrics()
    metrics.observe("v0001", [1, 1, 0, "a"], [Fault(0, "Age", "range", "", "flag")])
    metrics.observe("v0001", [1.5, 2.5, float("nan"), None], [])
    metrics.observe("v0001", None, [Fault(0, 'ti"cket\n', "type", "")])
    read_back = read(metrics)

    assert read_back[of("pipeline_rows_total", version="v0001")] == 8
    assert {value: read_back[of("pipeline_predictions_total", version="v0001", value=value)] for value in "01a"} == {
        "0": 1, "1": 2, "a": 1,
    }  # fmt: skip
    numbers = [read_back[of(f"pipeline_predicted_numbers_{each}", version="v0001")] for each in ("sum", "squares")]
    assert numbers == [4.0, 1.5**2 + 2.5**2]
    given = {"version": "v0001", "kind": "type", "severity": "error"}
    assert read_back[of("pipeline_faults_total", field='ti"cket\n', **given)] == 1


def test_names_that_clients_make_up_are_bounded() -> None:
    metrics = Metrics()
    for place in range(MOST_FIELDS + 50):
        metrics.observe("v0001", [f"class {place}"], [Fault(0, f"field {place}", "extra", "", "flag")])
    read_back = read(metrics)

    fields = [labels for name, labels in read_back if name == "pipeline_faults_total"]
    classes = [labels for name, labels in read_back if name == "pipeline_predictions_total"]
    assert (len(fields), len(classes)) == (MOST_FIELDS + 1, MOST_CLASSES + 1)
    others = of("pipeline_faults_total", version="v0001", field=OTHERS, kind="extra", severity="flag")
    assert read_back[others] == 50


def test_the_process_and_the_log_are_told() -> None:
    read_back = read(Metrics(), under_way=3, recorded={"written": 5, "dropped": 1})

    assert read_back[of("pipeline_requests_under_way")] == 3
    assert read_back[of("pipeline_log_rows_total", outcome="written")] == 5
    assert read_back[of("pipeline_info", name="barns", version="v0001", digest="abc")] == 1
    assert read_back[of("process_resident_memory_bytes")] > 10**6
