"""The command line: it parses, calls `nbprod.api`, and shows."""

from nbprod.cli.app import main

__all__ = ["main"]
