"""Alert rules and the dashboard: metrics that the service counts, and rules that fire when they should."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from nbprod.codegen.runtime.metrics import BUCKETS, Told, text_of
from nbprod.deploy import image
from nbprod.deploy.alerts import groups
from nbprod.deploy.dashboard import dashboard
from nbprod.model.deployment import Deployment
from tests.deploy.deployments import KNOWN, LEAST, MOST, files_of, passes, tool, written

each_deployment = pytest.mark.parametrize("deployment", KNOWN)
DECLARED = replace(
    LEAST, required_ms=50.0, required_rps=10.0, required_mb=200.0, required_availability=0.99, runbook="docs/runbook.md"
)


def served() -> dict[str, set[str]]:
    """The series of a service that has counted each thing once, with their labels."""
    counts: dict[str, Counter[tuple[Any, ...]]] = {
        "requests": Counter({("v1", "/predict", 200): 1}),
        "rows": Counter({("v1",): 1}),
        "faults": Counter({("v1", "age", "unseen", "flag"): 1}),
        "predictions": Counter({("v1", "yes"): 1}),
        "refused": Counter({("busy",): 1, ("token",): 1}),
        "shadowed": Counter({("same",): 1}),
        "recorded": Counter({("written",): 1}),
        "values": Counter({("v1", "age", "1 to 2"): 1}),
    }
    told = Told(counts, {"v1": [1.0] * (len(BUCKETS) + 2)}, {"v1": [1.0, 2.0, 3.0]}, memory=1)
    text = text_of("sales", [("v1", "digest")], told, follows=True)
    found: dict[str, set[str]] = {"up": {"job", "instance"}}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, labels = line.partition(" ")[0].partition("{")
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', line if labels else ""))
    return {name: labels | {"job", "instance"} for name, labels in found.items()}


def expressions(deployment: Deployment) -> Iterator[str]:
    for group in groups(deployment)["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    value = json.loads(dashboard(deployment))
    yield from (target["expr"] for panel in value["panels"] for target in panel["targets"])
    yield from (each["expr"] for each in value["annotations"]["list"])


@each_deployment
def test_every_metric_and_label_that_is_asked_for_is_one_that_the_service_has(deployment: Deployment) -> None:
    known = served()
    own = {rule["record"] for group in groups(deployment)["groups"] for rule in group["rules"] if "record" in rule}
    for expr in expressions(deployment):
        for name, chosen in re.findall(r"([a-z_][a-z0-9_:]*)\{([^}]*)\}", expr):
            assert name in known or name in own, expr
            labels = set(re.findall(r"(\w+)=", chosen))
            assert labels <= known.get(name, {"job"}), expr
        assert re.findall(r"\b(?:pipeline|process)_\w+(?![\w{])", expr) == [], "each is the service's own"


@each_deployment
def test_promtool_takes_the_rules_and_the_configuration(deployment: Deployment, tmp_path: Path) -> None:
    folder = written(deployment, "docker", tmp_path)
    passes(tool("promtool"), "check", "rules", folder / "alerts.yaml")
    text = (folder / "prometheus.yaml").read_text().replace("/etc/prometheus/", f"{folder}/")
    (tmp_path / "prometheus.yml").write_text(text)
    assert "1 rule files found" in passes(tool("promtool"), "check", "config", tmp_path / "prometheus.yml")


@each_deployment
def test_promtool_takes_every_expression_of_the_dashboard(deployment: Deployment, tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(expressions(deployment))]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    passes(tool("promtool"), "check", "rules", tmp_path / "rules.yaml")


J = 'job="sales"'
GOOD = f'pipeline_requests_total{{{J},status="200"}}'
BAD = f'pipeline_requests_total{{{J},status="500"}}'
REFUSED = f'pipeline_requests_total{{{J},status="422"}}'
BUSY = f'pipeline_refused_total{{{J},reason="busy"}}'
UP = {f"up{{{J}}}": "1x600"}


@pytest.mark.parametrize(
    "series, minutes, firing",
    [
        pytest.param({**UP, GOOD: "0+600x600", BUSY: "0x600"}, 120, set(), id="all is well"),
        pytest.param({f"up{{{J}}}": "1x30 0x600"}, 40, {"PipelineDown"}, id="no replica answers"),
        pytest.param({GOOD: "0x10"}, 40, {"PipelineDown"}, id="there is none"),
        pytest.param(
            {**UP, GOOD: "0+300x600", BAD: "0+60x600", BUSY: "0x600"}, 120, {"PipelineFails"}, id="a sixth fails"
        ),
        pytest.param({**UP, GOOD: "0+300x600", BUSY: "0+60x600"}, 120, {"PipelineFails"}, id="a sixth is turned away"),
        pytest.param(
            {**UP, GOOD: "0+300x600", BAD: "0x300 0+60x5 300x600", BUSY: "0x600"},
            400,
            set(),
            id="failures that are past",
        ),
        pytest.param(
            {**UP, GOOD: "0+300x600", REFUSED: "0+60x600", BUSY: "0x600"}, 60, {"PipelineRefuses"}, id="refused"
        ),
        pytest.param(
            {**UP, GOOD: "0+900x600", BUSY: "0x600"}, 60, {"PipelineAskedMoreThanDeclared"}, id="15 a second, not 10"
        ),
        pytest.param(
            {
                **UP,
                f'pipeline_request_seconds_bucket{{{J},le="0.05"}}': "0+90x600",
                f'pipeline_request_seconds_bucket{{{J},le="0.1"}}': "0+100x600",
                f'pipeline_request_seconds_bucket{{{J},le="+Inf"}}': "0+100x600",
            },
            60,
            {"PipelineSlow"},
            id="a tenth above 50 ms",
        ),
        pytest.param(
            {
                **UP,
                f'pipeline_request_seconds_bucket{{{J},le="0.05"}}': "0+1000x600",
                f'pipeline_request_seconds_bucket{{{J},le="0.1"}}': "0+1001x600",
                f'pipeline_request_seconds_bucket{{{J},le="+Inf"}}': "0+1001x600",
            },
            60,
            set(),
            id="one of a thousand above 50 ms",
        ),
        pytest.param(
            {**UP, f"process_resident_memory_bytes{{{J}}}": "190000000x600"}, 60, {"PipelineLarge"}, id="190 of 200 MB"
        ),
        pytest.param({**UP, f"process_resident_memory_bytes{{{J}}}": "170000000x600"}, 60, set(), id="170 of 200 MB"),
        *(
            pytest.param(
                {
                    **UP,
                    f'pipeline_rows_total{{{J},version="v1"}}': "0+100x600",
                    f'pipeline_faults_total{{{J},field="a",kind="{kind}",severity="flag"}}': f"0+{first}x600",
                    f'pipeline_faults_total{{{J},field="b",kind="{kind}",severity="flag"}}': f"0+{second}x600",
                },
                120,
                firing,
                id=name,
            )
            for kind, first, second, firing, name in (
                ("unseen", 8, 1, {"PipelineSeesOtherValues"}, "unseen values in a field"),
                ("unseen", 4, 4, set(), "a few in each of two fields"),
                ("extra", 100, 100, set(), "fields that nobody knows"),
            )
        ),
        pytest.param(
            {**UP, f"process_start_time_seconds{{{J}}}": "1x10 2x10 3x10 4x600"},
            40,
            {"PipelineRestarts"},
            id="restarts",
        ),
        pytest.param(
            {
                **UP,
                f'pipeline_info{{{J},digest="a",version="v1"}}': "1x600",
                f'pipeline_info{{{J},digest="b",version="v2"}}': "1x600",
            },
            90,
            {"PipelineServesTwoVersions"},
            id="two versions",
        ),
        pytest.param(
            {**UP, f'pipeline_log_rows_total{{{J},outcome="failed"}}': "0+1x600"}, 60, {"PipelineLosesLog"}, id="no log"
        ),
    ],
)
def test_an_alert_fires_where_it_should_and_no_other_one(
    series: dict[str, str], minutes: int, firing: set[str], tmp_path: Path
) -> None:
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(groups(DECLARED)))
    alerts = {rule["alert"] for group in groups(DECLARED)["groups"] for rule in group["rules"] if "alert" in rule}
    told = [
        {
            "eval_time": f"{minutes}m",
            "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > bool 0',
            "exp_samples": [{"labels": "{}", "value": 1}] if alert in firing else [],
        }
        for alert in sorted(alerts)
    ]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": told,
    }
    rules = {"rule_files": ["alerts.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(rules))
    passes(tool("promtool"), "test", "rules", tmp_path / "test.yaml")


@pytest.mark.parametrize(
    "deployment, alerts",
    [
        pytest.param(LEAST, set(), id="nothing"),
        pytest.param(replace(LEAST, required_ms=9.0), {"PipelineSlow"}, id="latency"),
        pytest.param(replace(LEAST, required_rps=9.0), {"PipelineAskedMoreThanDeclared"}, id="volume"),
        pytest.param(replace(LEAST, required_mb=9.0), {"PipelineLarge"}, id="memory"),
    ],
)
def test_what_is_declared_is_alerted_on(deployment: Deployment, alerts: set[str]) -> None:
    def named(each: Deployment) -> set[str]:
        return {rule["alert"] for group in groups(each)["groups"] for rule in group["rules"] if "alert" in rule}

    assert named(deployment) - named(LEAST) == alerts


@pytest.mark.parametrize("declared", [64.0, 300.0, 500.0, 503.3, 4000.0])
def test_a_replica_is_told_of_before_its_limit_ends_it(declared: float) -> None:
    deployment = replace(LEAST, required_mb=declared)
    (rule,) = [each for each in groups(deployment)["groups"][1]["rules"] if each["alert"] == "PipelineLarge"]
    limit = image.size_of(deployment).memory * image.MIB
    assert 0.75 * limit < float(rule["expr"].rsplit("> ", 1)[1]) <= 0.9 * limit


@pytest.mark.parametrize(
    "availability, most",
    [
        pytest.param(None, ["0.05"], id="undeclared"),
        pytest.param(0.999, ["0.0144", "0.006"], id="three nines"),
        pytest.param(0.5, ["0.9", "0.9"], id="a budget that no share of failures burns so fast"),
        pytest.param(1.0, ["0.05"], id="all of them, of which there is no budget"),
    ],
)
def test_failures_are_held_against_the_budget(availability: float | None, most: list[str]) -> None:
    found = groups(replace(LEAST, required_availability=availability))["groups"][1]["rules"]
    assert [rule["expr"].rsplit("> ", 1)[1] for rule in found if rule["alert"] == "PipelineFails"] == most


@pytest.mark.parametrize(
    "runbook, key",
    [("docs/runbook.md", "runbook"), ("https://example.org/runbook", "runbook_url"), (None, None)],
    ids=["a file", "an address", "none"],
)
def test_every_alert_leads_to_the_runbook_and_the_owner(runbook: str | None, key: str | None) -> None:
    for rule in groups(replace(MOST, runbook=runbook))["groups"][1]["rules"]:
        assert rule["labels"]["owner"] == MOST.owner
        assert {"summary", "description"} <= set(rule["annotations"])
        assert (
            (rule["annotations"].get(key) == runbook) if key else not any("runbook" in n for n in rule["annotations"])
        )


@each_deployment
def test_the_dashboard_has_a_place_for_each_panel(deployment: Deployment) -> None:
    value = json.loads(dashboard(deployment))
    places = [panel["gridPos"] for panel in value["panels"]]
    taken = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(taken) == len(set(taken))
    assert all(at["x"] + at["w"] <= 24 for at in places)
    assert len({panel["id"] for panel in value["panels"]}) == len(places)
    text = files_of(deployment, "docker", "d/d")["d/d/grafana/dashboards/pipeline.json"]
    assert text == files_of(deployment, "kubernetes", "k/k")["k/k/prometheus-operator/pipeline.json"]
