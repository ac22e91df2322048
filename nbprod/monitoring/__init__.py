"""Watching a served model: the counts of served rows against those of training."""

from __future__ import annotations

from nbprod.monitoring.comparing import Seen, compare
from nbprod.monitoring.page import page

__all__ = ["Seen", "compare", "page"]
