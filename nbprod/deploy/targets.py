"""All targets of `nbprod deploy`, by name."""

from __future__ import annotations

from nbprod.deploy import docker, github, gitlab, kserve, kubernetes, spark
from nbprod.deploy.exporter import Exporter

TARGETS: dict[str, Exporter] = {
    each.name: each
    for each in (
        docker.EXPORTER,
        kubernetes.EXPORTER,
        kserve.EXPORTER,
        spark.EXPORTER,
        github.EXPORTER,
        gitlab.EXPORTER,
    )
}
