"""A dashboard of Grafana over the metrics that a service counts: requests, latency, flags, versions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from nbprod.deploy.alerts import failed, flagged, latency, selector
from nbprod.deploy.image import dns_name
from nbprod.model.deployment import Deployment

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 24, 8
SCHEMA = 39


def dashboard(deployment: Deployment) -> str:
    """The dashboard as JSON; Grafana fills in where the metrics are."""
    value = {
        "uid": f"nbprod-{dns_name(deployment.name)}"[:40],
        "title": deployment.name,
        "description": f"Written by nbprod deploy {deployment.name}, from the metrics that its service counts.",
        "tags": ["nbprod"],
        "timezone": "browser",
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Prometheus",
                    "type": "datasource",
                    "query": "prometheus",
                    "current": {},
                    "hide": 0,
                }
            ]
        },
        "annotations": {"list": [_rollouts(deployment)]},
        "panels": list(_placed(list(_panels(deployment)))),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _rollouts(deployment: Deployment) -> dict[str, Any]:
    return {
        "name": "Starts",
        "datasource": DATASOURCE,
        "enable": True,
        "iconColor": "blue",
        "expr": f"changes(process_start_time_seconds{selector(deployment)}[1m]) > 0",
        "titleFormat": "a replica was started",
    }


def _panels(deployment: Deployment) -> Iterator[dict[str, Any]]:
    own = selector(deployment)
    yield _stat("Replicas that answer", f"count(up{own} == 1)", "none")
    yield _stat("Requests a second", f"sum(rate(pipeline_requests_total{own}[5m]))", "reqps")
    yield _stat("Failed, of an hour", failed(deployment, "1h"), "percentunit", _most(_allowed(deployment)), decimals=2)
    yield _stat("99th percentile", latency(deployment, 0.99), "s", _most(_seconds(deployment)), decimals=2)
    yield _panel(
        "Requests by status", [(f"sum by (status) (rate(pipeline_requests_total{own}[5m]))", "{{status}}")], "reqps"
    )
    quantiles = [(latency(deployment, each), f"p{each * 100:g}") for each in (0.5, 0.9, 0.99)]
    yield _panel("Latency", quantiles, "s", most=_seconds(deployment))
    yield _panel(
        "Versions that answer, by replicas",
        [(f"count by (version, digest) (pipeline_info{own})", "{{version}} {{digest}}")],
        "none",
    )
    yield _panel("Rows answered", [(f"sum by (version) (rate(pipeline_rows_total{own}[5m]))", "{{version}}")], "none")
    faults = "pipeline_faults_total"
    flags, errors = (selector(deployment, f'severity="{each}"') for each in ("flag", "error"))
    yield _panel(
        "Rows that are flagged, by field",
        [(f"topk(10, {flagged(deployment)})", "{{field}} {{kind}}")],
        "percentunit",
    )
    yield _panel("Flags a second, by kind", [(f"sum by (kind) (rate({faults}{flags}[30m]))", "{{kind}}")], "none")
    yield _panel(
        "Refused by the contract, by field",
        [(f"topk(10, sum by (field, kind) (rate({faults}{errors}[30m])))", "{{field}} {{kind}}")],
        "none",
    )
    yield _panel("Turned away", [(f"sum by (reason) (rate(pipeline_refused_total{own}[5m]))", "{{reason}}")], "reqps")
    told = f"sum by (value) (rate(pipeline_predictions_total{own}[30m]))"
    yield _panel("Predicted classes", [(told, "{{value}}")], "none")
    numbers = "pipeline_predicted_numbers"
    mean = f"sum(delta({numbers}_sum{own}[30m])) / sum(increase({numbers}_count{own}[30m]))"
    yield _panel("Mean of predicted numbers", [(mean, "mean")], "none", least=None)
    held = _panel("Memory", [(f"process_resident_memory_bytes{own}", "{{instance}}")], "bytes")
    yield held if deployment.required_mb is None else _with_line(held, deployment.required_mb * 1e6)
    yield _panel("Processor time, in cores", [(f"rate(process_cpu_seconds_total{own}[5m])", "{{instance}}")], "none")
    yield _panel("Requests under way", [(f"pipeline_requests_under_way{own}", "{{instance}}")], "none")
    yield _panel(
        "Rows for the prediction log",
        [(f"sum by (outcome) (rate(pipeline_log_rows_total{own}[5m]))", "{{outcome}}")],
        "none",
    )


def _allowed(deployment: Deployment) -> float | None:
    return None if deployment.required_availability is None else 1 - deployment.required_availability


def _seconds(deployment: Deployment) -> float | None:
    return None if deployment.required_ms is None else deployment.required_ms / 1000


def _most(value: float | None) -> dict[str, Any]:
    """Green up to a value, red from there on."""
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    return {"mode": "absolute", "steps": steps if value is None else [*steps, {"color": "red", "value": value}]}


def _stat(
    title: str, expr: str, unit: str, thresholds: dict[str, Any] | None = None, decimals: int | None = None
) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": unit, "thresholds": thresholds or _most(None)}
    if decimals is not None:
        defaults["decimals"] = decimals
    return {
        "title": title,
        "type": "stat",
        "gridPos": {"w": WIDTH // 4, "h": HEIGHT // 2},
        "datasource": DATASOURCE,
        "targets": _targets([(expr, title)]),
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"},
    }


def _panel(
    title: str,
    series: Sequence[tuple[str, str]],
    unit: str,
    *,
    most: float | None = None,
    least: float | None = 0,
) -> dict[str, Any]:
    defaults = {"unit": unit} if least is None else {"unit": unit, "min": least}
    panel: dict[str, Any] = {
        "title": title,
        "type": "timeseries",
        "gridPos": {"w": WIDTH // 2, "h": HEIGHT},
        "datasource": DATASOURCE,
        "targets": _targets(series),
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    }
    return panel if most is None else _with_line(panel, most)


def _with_line(panel: dict[str, Any], most: float) -> dict[str, Any]:
    """A panel with a line where what was declared ends."""
    panel["fieldConfig"]["defaults"] |= {
        "thresholds": _most(most),
        "custom": {"thresholdsStyle": {"mode": "line"}},
    }
    return panel


def _targets(series: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"refId": chr(ord("A") + place), "datasource": DATASOURCE, "expr": expr, "legendFormat": legend}
        for place, (expr, legend) in enumerate(series)
    ]


def _placed(panels: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Panels in rows from the left to the right, with ids."""
    x, y, height = 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        width = panel["gridPos"]["w"]
        if x + width > WIDTH:
            x, y, height = 0, y + height, 0
        height = max(height, panel["gridPos"]["h"])
        yield {"id": number, **panel, "gridPos": {**panel["gridPos"], "x": x, "y": y}}
        x += width
