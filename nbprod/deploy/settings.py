"""What a deployment's settings must be for engines to take what is written of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbprod.model.deployment import Settings

# https://github.com/distribution/reference, without tag and digest: a registry, then names with small letters.
_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(rf"(?:[A-Za-z0-9.-]+(?::\d+)?/)?{_NAME}(?:/{_NAME})*")
_BASE = re.compile(rf"{_IMAGE.pattern}(?::[\w][\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def objections(settings: Settings) -> Iterator[tuple[str, str]]:
    """What no engine takes: the key below `deploy`, and what is wrong with its value."""
    if not _IMAGE.fullmatch(settings.image):
        yield "image", f'"{settings.image}" is no name of an image without tag, such as registry.example.org/team/sales'
    if not _BASE.fullmatch(settings.base_image):
        yield "base_image", f'"{settings.base_image}" is no image, such as python:3.12-slim-bookworm'
    if not _LABEL.fullmatch(settings.namespace):
        yield "namespace", f'"{settings.namespace}" has other characters than small letters, digits and hyphens'
    if not 1 <= settings.port <= 65535:
        yield "port", f"{settings.port} is not between 1 and 65535"
    if settings.replicas < 1:
        yield "replicas", f"{settings.replicas} is less than 1"
    if settings.canary is not None and not 0 <= settings.canary <= 100:
        yield "canary", f"{settings.canary} is no share in percent"
