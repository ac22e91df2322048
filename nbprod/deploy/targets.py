"""All targets of `nbprod deploy`, by name."""

from __future__ import annotations

from nbprod.deploy import airflow, docker, github, gitlab, kfp, kserve, kubernetes, spark
from nbprod.deploy.exporter import Exporter

_ALL = (
    docker.EXPORTER,
    kubernetes.EXPORTER,
    kserve.EXPORTER,
    spark.EXPORTER,
    airflow.EXPORTER,
    kfp.EXPORTER,
    github.EXPORTER,
    gitlab.EXPORTER,
)
TARGETS: dict[str, Exporter] = {each.name: each for each in _ALL}
