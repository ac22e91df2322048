"""nbprod turns notebooks into production pipelines and proves the two equal."""

__version__ = "0.1.0"
