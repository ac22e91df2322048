"""A deployment of plain values, as the exporters of orchestrators are given it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from msgspec.structs import replace

from nbprod.deploy.flow import flow_of
from nbprod.model.deployment import Deployment
from tests.deploy.deployments import LEAST

STAGES = ("data", "features", "train")
SALES = replace(
    LEAST,
    flow=flow_of("sales", STAGES, cron="0 3 * * 1", interval=("since", "until")),
    settings=replace(LEAST.settings, image="registry.example/sales"),
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


def imports_of(tree: ast.Module) -> set[str]:
    """The top-level names of the packages that a file imports, wherever in it it does."""
    found = [[each.name for each in node.names] for node in ast.walk(tree) if isinstance(node, ast.Import)]
    found += [[str(node.module)] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for names in found for name in names}
