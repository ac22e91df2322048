"""The notebook against its exported versions, and versions against each other."""

from nbprod.divergence.compare import compare, diff_versions
from nbprod.divergence.describe import describe

__all__ = ["compare", "describe", "diff_versions"]
