"""A deployment of plain values, as the exporters of orchestrators are given it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from nbprod.deploy.flow import flow_of
from nbprod.model.deployment import Deployment, Settings

STAGES = ("data", "features", "train")
SALES = Deployment(
    name="sales",
    version=3,
    digest="5f0c" * 8,
    state="a1b2" * 16,
    notebook="sales.ipynb",
    packages="pipelines",
    package="pipelines/sales",
    folder="pipelines/sales/v0003",
    python="3.12",
    requires=("numpy==2.4.6",),
    columns=("age",),
    serves="rows",
    flow=flow_of("sales", STAGES, cron="0 3 * * 1", interval=("since", "until")),
    settings=Settings(
        image="registry.example/sales",
        base_image="python:3.12-slim-bookworm",
        namespace="default",
        replicas=2,
        port=8000,
    ),
    owner="Ada <ada@example.org>",
    problem="how much is sold",
)
HOSTILE = 'it\'s "quoted" \\ <<STEPS>> {{ ds }} $(rm -rf .)\n"""\n\'\'\'\nimport os  # ü \u2028'


def sales(stages: Sequence[str] = STAGES, *, cron: str | None = "0 3 * * 1", promotes: bool = True) -> Deployment:
    """The deployment with another flow."""
    return replace(SALES, flow=flow_of("sales", stages, cron=cron, promotes=promotes))


def hostile() -> Deployment:
    """The deployment with texts that are code where they are not quoted."""
    return replace(SALES, owner=HOSTILE, problem=HOSTILE, notebook=HOSTILE)
