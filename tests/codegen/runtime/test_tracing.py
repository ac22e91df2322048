"""Spans of requests, taken by OpenTelemetry's own exporter in memory."""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from nbprod.codegen.runtime import tracing
from tests.codegen.runtime.asking import ask
from tests.codegen.runtime.sheds import Sheds, asked, record, served


@pytest.fixture
def traced(sheds: Sheds) -> tuple[Any, InMemorySpanExporter]:
    """A gateway whose spans are kept, with version 2 as its canary."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    gate = sheds.gate(canary=("2", 0.5))
    module = importlib.import_module("sheds.serving.tracing")
    return module.Traced(gate, gate._following, provider), exporter


def test_a_request_is_a_span_with_what_answered_it(traced: tuple[Any, InMemorySpanExporter]) -> None:
    app, exporter = traced
    answers = [ask(app, "/predict", record(), x_request_id=f"r-{at}") for at in range(8)]
    spans = exporter.get_finished_spans()

    assert [span.attributes["pipeline.version"] for span in spans] == [answer.json["version"] for answer in answers]
    assert {span.attributes["pipeline.version"] for span in spans} == {"v0001", "v0002"}
    assert dict(spans[0].attributes) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "pipeline.digest": answers[0].json["digest"],
        "pipeline.name": "sheds",
        "pipeline.request_id": "r-0",
        "pipeline.version": answers[0].json["version"],
        "url.path": "/predict",
    }
    assert {span.kind for span in spans} == {SpanKind.SERVER}


@pytest.mark.parametrize(
    "path, body, status, code",
    [
        pytest.param("/predict", {}, 422, StatusCode.UNSET, id="a fault of the client"),
        pytest.param("/nowhere", None, 404, StatusCode.UNSET, id="a path that is none"),
        pytest.param("/predict", record(), 500, StatusCode.ERROR, id="a fault of the pipeline"),
    ],
)
def test_what_goes_wrong_is_told(
    path: str, body: Any, status: int, code: Any, traced: tuple[Any, InMemorySpanExporter], monkeypatch: Any
) -> None:
    app, exporter = traced
    if status == 500:
        for served_by in app._following.all():
            pipeline = served_by.application._load()
            monkeypatch.setattr(type(pipeline), "answer", lambda *_: 1 / 0)
    ask(app, path, body)
    (span,) = exporter.get_finished_spans()

    assert (span.attributes["http.response.status_code"], span.status.status_code) == (status, code)


def test_a_clients_trace_goes_on(traced: tuple[Any, InMemorySpanExporter]) -> None:
    app, exporter = traced
    ask(app, "/predict", record(), traceparent=f"00-{'ab' * 16}-{'cd' * 8}-01")
    (span,) = exporter.get_finished_spans()

    assert f"{span.context.trace_id:x}" == "ab" * 16
    assert f"{span.parent.span_id:x}" == "cd" * 8


def test_health_makes_no_span(traced: tuple[Any, InMemorySpanExporter]) -> None:
    app, exporter = traced
    for path in ("/health", "/ready", "/ping", "/v2/health/live"):
        ask(app, path)

    assert exporter.get_finished_spans() == ()


def test_spans_are_sent_before_the_service_ends(traced: tuple[Any, InMemorySpanExporter]) -> None:
    app, exporter = traced
    told: list[str] = []

    async def live() -> None:
        messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive() -> dict[str, Any]:
            return next(messages)

        async def send(message: dict[str, Any]) -> None:
            told.append(message["type"])

        await app({"type": "lifespan"}, receive, send)

    asyncio.run(live())

    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert exporter._stopped


@pytest.mark.parametrize(
    "option, environment, expected",
    [
        pytest.param(None, {}, None, id="nobody asks"),
        pytest.param("console", {}, "console", id="the option"),
        pytest.param("console", {"OTEL_SDK_DISABLED": "true"}, "console", id="the option, whatever is disabled"),
        pytest.param(None, {"OTEL_TRACES_EXPORTER": "console"}, "console", id="the variable"),
        pytest.param(None, {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "x"}, None, id="none"),
        pytest.param(None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4317"}, "otlp", id="an endpoint"),
        pytest.param(None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "x", "OTEL_SDK_DISABLED": "TRUE"}, None, id="disabled"),
    ],
)
def test_spans_are_made_where_they_are_asked_for(
    option: str | None, environment: dict[str, str], expected: str | None
) -> None:
    assert tracing.exporter_of(option, environment) == expected


def test_without_the_sdk_an_option_is_an_error_and_a_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_has_sdk", lambda: False)

    assert tracing.exporter_of(None, {"OTEL_TRACES_EXPORTER": "otlp"}) is None
    with pytest.raises(ImportError, match="pip install opentelemetry-sdk"):
        tracing.exporter_of("otlp", {})


def test_an_exporter_that_is_not_there_is_named() -> None:
    with pytest.raises(ImportError, match="no exporter 'nowhere' of OpenTelemetry"):
        tracing.provider_of("nowhere", "sheds")


@pytest.mark.parametrize("environment, expected", [({}, "sheds"), ({"OTEL_SERVICE_NAME": "mine"}, "mine")])
def test_the_service_is_named(environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    provider = tracing.provider_of("console", "sheds")
    provider.shutdown()

    assert provider.resource.attributes["service.name"] == expected


def test_the_service_prints_its_spans_where_the_console_is_named(
    sheds: Sheds, capfd: pytest.CaptureFixture[str]
) -> None:
    with served(sheds, ["--trace", "console"]) as service:
        assert asked(service.port, "POST", "/predict", record())[0] == 200
        service.process.terminate()
        service.process.wait(30)

    assert '"pipeline.version": "v0001"' in capfd.readouterr().out


def test_where_nobody_asks_nothing_is_imported(sheds: Sheds) -> None:
    code = """
import sys
import sheds.serving.tracing
assert sheds.serving.tracing.exporter_of(None, {}) is None
print([name for name in sys.modules if name.startswith("opentelemetry.")])
"""
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=sheds.root, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout.replace("'", '"')) == []
