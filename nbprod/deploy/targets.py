"""All targets of `nbprod deploy`, by name."""

from __future__ import annotations

from nbprod.deploy import airflow, github, gitlab, kfp
from nbprod.deploy.exporter import Exporter

_ALL = (airflow.EXPORTER, github.EXPORTER, gitlab.EXPORTER, kfp.EXPORTER)
TARGETS: dict[str, Exporter] = {each.name: each for each in _ALL}
