"""Reading notebooks, the roles of their cells, and writing those roles back."""

from nbprod.notebook.read import read, read_text

__all__ = ["read", "read_text"]
