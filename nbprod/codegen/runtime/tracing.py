"""A span of OpenTelemetry for each request: which version answered it, and how.

Nothing of OpenTelemetry is imported unless spans are asked for, by an option or by its own environment variables:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/. Attributes are named as in
https://opentelemetry.io/docs/specs/semconv/http/http-spans/; `pipeline.` is for what these do not know.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from collections.abc import Awaitable, Callable, Mapping
from importlib import metadata
from typing import Any

from .following import Following
from .gateway import OPEN

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
EXPORTERS = "opentelemetry_traces_exporter"
"""The entry points by which exporters are known."""


def exporter_of(option: str | None, environment: Mapping[str, str]) -> str | None:
    """The name of the exporter that is asked for; None where no spans are, or the environment asks in vain.

    Raises ImportError where an option asks, and OpenTelemetry is not installed.
    """
    if option is not None:
        if not _has_sdk():
            raise ImportError("--trace takes opentelemetry-sdk, which is not installed: pip install opentelemetry-sdk")
        return option
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    named = environment.get("OTEL_TRACES_EXPORTER", "").split(",")[0].strip()
    named = named or ("otlp" if any(environment.get(name) for name in ENDPOINTS) else "none")
    return named if named != "none" and _has_sdk() else None


def provider_of(exporter: str, name: str) -> Any:
    """A provider of tracers that sends spans, in batches and by a thread of its own, to an exporter.

    Raises ImportError for an exporter that is not installed.
    """
    found = metadata.entry_points()
    known = found.select(group=EXPORTERS) if hasattr(found, "select") else found.get(EXPORTERS, ())
    entries = {entry.name: entry for entry in known}
    if exporter not in entries:
        there = ", ".join(sorted(entries)) or "none"
        hint = "pip install opentelemetry-exporter-otlp" if exporter == "otlp" else f"there are {there}"
        raise ImportError(f"no exporter {exporter!r} of OpenTelemetry is installed: {hint}")
    trace, export = (importlib.import_module(f"opentelemetry.sdk.trace{part}") for part in ("", ".export"))
    resource = importlib.import_module("opentelemetry.sdk.resources").Resource.create()
    if resource.attributes["service.name"].startswith("unknown_service"):  # the environment names none
        resource = resource.merge(type(resource)({"service.name": name}))
    provider = trace.TracerProvider(resource=resource)
    provider.add_span_processor(export.BatchSpanProcessor(entries[exporter].load()()))
    return provider


class Traced:
    """An ASGI 3 application that makes a span of each request to another one, but for those about health."""

    def __init__(self, application: Any, following: Following, provider: Any) -> None:
        self._application = application
        self._following = following
        self._provider = provider
        self._tracer = provider.get_tracer("pipeline")
        self._api = importlib.import_module("opentelemetry.trace")
        self._propagate = importlib.import_module("opentelemetry.propagate")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._application(scope, receive, self._closing(send))
        elif scope["type"] != "http" or scope["path"] in OPEN:
            await self._application(scope, receive, send)
        else:
            await self._spanned(scope, receive, send)

    def _closing(self, send: Send) -> Send:
        """Passes on the service's end when the last spans are sent."""

        async def passed_on(message: dict[str, Any]) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                await asyncio.to_thread(self._provider.shutdown)
            await send(message)

        return passed_on

    async def _spanned(self, scope: Scope, receive: Receive, send: Send) -> None:
        carried = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        asked = {"http.request.method": scope["method"], "url.path": scope["path"]}
        with self._tracer.start_as_current_span(
            scope["method"],
            context=self._propagate.extract(carried),
            kind=self._api.SpanKind.SERVER,
            attributes=asked,
        ) as span:

            async def told(message: dict[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    self._tell(span, message["status"], dict(message.get("headers", ())))
                await send(message)

            await self._application(scope, receive, told)

    def _tell(self, span: Any, status: int, headers: Mapping[bytes, bytes]) -> None:
        version = headers.get(b"x-pipeline-version", b"").decode()
        digests = {served.name: served.digest for served in self._following.all()}
        span.set_attributes(
            {
                "http.response.status_code": status,
                "pipeline.name": self._following.name,
                "pipeline.request_id": headers.get(b"x-request-id", b"").decode(),
                **({"pipeline.version": version} if version else {}),
                **({"pipeline.digest": digests[version]} if version in digests else {}),
            }
        )
        if status >= 500:
            span.set_status(self._api.StatusCode.ERROR)


def _has_sdk() -> bool:
    try:
        return importlib.util.find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:
        return False
