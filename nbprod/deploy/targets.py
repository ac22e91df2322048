"""All targets of `nbprod deploy`, by name."""

from __future__ import annotations

from nbprod.deploy import github, gitlab, spark
from nbprod.deploy.exporter import Exporter

TARGETS: dict[str, Exporter] = {each.name: each for each in (github.EXPORTER, gitlab.EXPORTER, spark.EXPORTER)}
