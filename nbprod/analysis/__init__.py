"""Static analysis: what each statement of a notebook does, and what the model's inputs depend on."""

from nbprod.analysis.analyse import Analysis, analyse

__all__ = ["Analysis", "analyse"]
