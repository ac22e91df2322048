"""Exporters: the files with which an engine runs a version of a package, or trains it again."""

from __future__ import annotations

from nbprod.deploy.exporter import Exporter
from nbprod.deploy.targets import TARGETS

__all__ = ["TARGETS", "Exporter"]
