"""A job's task, as the routes know it."""

from __future__ import annotations

from nbprod.api.worker import Task

__all__ = ["Task"]
