"""Reports of the verbs as documents that are shown in a notebook: as HTML, as Markdown and as plain text."""

from nbprod.display.document import Code, Document, Items, Line, Table, Tone, with_secrets_masked
from nbprod.display.html import html
from nbprod.display.markdown import markdown
from nbprod.display.plain import plain
from nbprod.display.reports import KINDS, document

__all__ = [
    "KINDS",
    "Code",
    "Document",
    "Items",
    "Line",
    "Table",
    "Tone",
    "document",
    "html",
    "markdown",
    "plain",
    "with_secrets_masked",
]
