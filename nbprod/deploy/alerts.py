"""Alert rules of Prometheus over the metrics that a service counts, held against what is declared of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nbprod.deploy.image import dns_name
from nbprod.model.deployment import Deployment

FLAGGED = 0.05
REFUSED = 0.1
FAILED = 0.05
"""Shares from which on somebody should look: of rows that are flagged, of requests refused, of requests that failed
where no availability is declared."""

NEAR = 0.9
"""The share of the declared memory from which a replica is near its limit, beyond which it is ended."""

BURNS = ((14.4, "1h", "5m", "critical"), (6.0, "6h", "30m", "warning"))
"""How many times too fast the budget of failures goes, over a long and a short window: 2 % of a month's in an hour, 5 %
in six (https://sre.google/workbook/alerting-on-slos/, multiwindow, multi-burn-rate)."""


def selector(deployment: Deployment, *more: str) -> str:
    """The labels of the service's own series."""
    return "{" + ",".join((f'job="{dns_name(deployment.name)}"', *more)) + "}"


def failed(deployment: Deployment, window: str) -> str:
    """The share of requests that failed within a window: 5xx, and those turned away as too many."""
    return f"pipeline:requests_failed:ratio_rate{window}{selector(deployment)}"


def latency(deployment: Deployment, quantile: float, window: str = "5m") -> str:
    """A quantile of the seconds that requests take, over all replicas."""
    buckets = f"rate(pipeline_request_seconds_bucket{selector(deployment)}[{window}])"
    return f"histogram_quantile({quantile:g}, sum by (le) ({buckets}))"


def flagged(deployment: Deployment, window: str = "30m") -> str:
    """The share of the answered rows that are flagged, by field and kind; a field that nobody knows harms no answer."""
    flags = selector(deployment, 'severity="flag"', 'kind!="extra"')
    rows = f"sum(rate(pipeline_rows_total{selector(deployment)}[{window}]))"
    by_field = f"sum by (field, kind) (rate(pipeline_faults_total{flags}[{window}]))"
    return f"{by_field} / ignoring(field, kind) group_left() {rows}"


def groups(deployment: Deployment) -> dict[str, Any]:
    """Rules as Prometheus reads them, and as a PrometheusRule has them under `spec`."""
    name = dns_name(deployment.name)
    return {
        "groups": [
            {"name": f"{name}-records", "interval": "30s", "rules": list(_records(deployment))},
            {"name": f"{name}-alerts", "rules": list(_alerts(deployment))},
        ]
    }


def _records(deployment: Deployment) -> Iterator[dict[str, Any]]:
    for window in ("5m", "30m", "1h", "6h"):
        asked = f"sum by (job) (rate(pipeline_requests_total{selector(deployment)}[{window}]))"
        wrong = selector(deployment, 'status=~"5.."')
        errors = f"(sum by (job) (rate(pipeline_requests_total{wrong}[{window}])) or 0 * {asked})"
        away = selector(deployment, 'reason="busy"')
        busy = f"sum by (job) (rate(pipeline_refused_total{away}[{window}]))"
        yield {
            "record": f"pipeline:requests_failed:ratio_rate{window}",
            "expr": f"({errors} + {busy}) / ({asked} + {busy})",
        }


def _alerts(deployment: Deployment) -> Iterator[dict[str, Any]]:
    name, own = deployment.name, selector(deployment)
    yield _alert(
        deployment,
        "PipelineDown",
        f"absent(up{own} == 1)",
        "2m",
        "critical",
        f"No replica of {name} answers Prometheus",
        "Look at the log of the last one that ended; the version before serves with: "
        f"nbprod versions {name} rollback, then nbprod deploy again.",
    )
    if deployment.required_ms is not None:
        yield _alert(
            deployment,
            "PipelineSlow",
            f"{latency(deployment, 0.99)} > {deployment.required_ms / 1000:g}",
            "10m",
            "warning",
            f"{name} takes longer than {deployment.required_ms:g} ms, which 99 of 100 requests are to hold",
            "See pipeline_requests_under_way and the processor time: is it asked for more than it was measured for?",
        )
    yield from _availability(deployment)
    if deployment.required_rps is not None:
        yield _alert(
            deployment,
            "PipelineAskedMoreThanDeclared",
            f"sum(rate(pipeline_requests_total{own}[5m])) > {deployment.required_rps:g}",
            "15m",
            "info",
            f"{name} is asked more than the {deployment.required_rps:g} times a second that are declared",
            "Measure again (nbprod readiness NOTEBOOK --gather), declare requirements.volume_rps anew, deploy again: "
            "a load test that differs from the recorded one by more than a fifth takes its place.",
        )
    if deployment.required_mb is not None:
        yield _alert(
            deployment,
            "PipelineLarge",
            f"max(process_resident_memory_bytes{own}) > {NEAR * deployment.required_mb * 1e6:.0f}",
            "15m",
            "warning",
            f"A replica of {name} holds more than {NEAR:.0%} of the {deployment.required_mb:g} MB that are declared",
            "Its limit is what is declared, and ends it; see how it grows, and what requests came before.",
        )
    yield from _answers(deployment)
    yield from _service(deployment)


def _availability(deployment: Deployment) -> Iterator[dict[str, Any]]:
    name, asked = deployment.name, deployment.required_availability
    what_next = "The service's log has each failure with its traceback, request id and version."
    if asked is None or asked >= 1:
        said = f"more than {FAILED:.0%} of the requests to {name} fail"
        yield _alert(
            deployment, "PipelineFails", f"{failed(deployment, '5m')} > {FAILED:g}", "5m", "critical", said, what_next
        )
        return
    for factor, long, short, severity in BURNS:
        most = min(factor * (1 - asked), 0.9)
        yield _alert(
            deployment,
            "PipelineFails",
            f"{failed(deployment, long)} > {most:.6g} and {failed(deployment, short)} > {most:.6g}",
            "2m",
            severity,
            f"{name} fails so often that its declared availability of {asked:.4%} is not held",
            f"{most:.2%} of the requests failed within {long} and within {short}. {what_next}",
            window=long,
        )


def _answers(deployment: Deployment) -> Iterator[dict[str, Any]]:
    """What the answers say of the world: records that are refused, values that training did not have."""
    name = deployment.name
    share = "{{ $value | humanizePercentage }}"
    yield _alert(
        deployment,
        "PipelineSeesOtherValues",
        f"{flagged(deployment)} > {FLAGGED:g}",
        "30m",
        "warning",
        f"{share} of the rows that {name} answers are flagged: {{{{ $labels.field }}}} is {{{{ $labels.kind }}}}",
        f"Hold what is served against training: nbprod monitor {name}@{deployment.version} --log FILE.",
    )
    wrong = selector(deployment, 'status=~"4.."')
    refused = f"sum(rate(pipeline_requests_total{wrong}[15m]))"
    asked = f"sum(rate(pipeline_requests_total{selector(deployment)}[15m]))"
    yield _alert(
        deployment,
        "PipelineRefuses",
        f"{refused} / {asked} > {REFUSED:g}",
        "15m",
        "warning",
        f"{share} of the requests to {name} are refused",
        "A client sends what the contract does not take: pipeline_faults_total tells field and kind.",
    )


def _service(deployment: Deployment) -> Iterator[dict[str, Any]]:
    """What the service says of itself."""
    name, own = deployment.name, selector(deployment)
    yield _alert(
        deployment,
        "PipelineRestarts",
        f"max(changes(process_start_time_seconds{own}[1h])) > 2",
        "5m",
        "warning",
        f"A replica of {name} was started three times within an hour",
        "See why it ended: memory beyond its limit, or a fault at its start.",
    )
    yield _alert(
        deployment,
        "PipelineServesTwoVersions",
        f"count(count by (digest) (pipeline_info{own})) > 1",
        "1h",
        "info",
        f"Two versions of {name} have answered for an hour",
        "A rollout stands still, or a canary is meant: requests go to either.",
    )
    lost = selector(deployment, 'outcome=~"dropped|failed"')
    yield _alert(
        deployment,
        "PipelineLosesLog",
        f"sum(increase(pipeline_log_rows_total{lost}[15m])) > 0",
        "15m",
        "warning",
        f"Rows that {name} answered are not in its prediction log",
        "The disk is full, or more rows come than can be written: --log-share keeps a part of them.",
    )


def _alert(
    deployment: Deployment,
    alert: str,
    expr: str,
    lasting: str,
    severity: str,
    summary: str,
    what_next: str,
    *,
    window: str | None = None,
) -> dict[str, Any]:
    told = {"severity": severity, "pipeline": deployment.name, "owner": deployment.owner, "window": window}
    runbook = deployment.runbook
    key = "runbook_url" if runbook is not None and "://" in runbook else "runbook"
    notes = {"summary": summary, "description": what_next, key: runbook}
    return {
        "alert": alert,
        "expr": expr,
        "for": lasting,
        "labels": {name: value for name, value in told.items() if value},
        "annotations": {name: value for name, value in notes.items() if value},
    }
