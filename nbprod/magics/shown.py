"""What a verb of the magic gives: its report, which shows itself as the place where it is shown can."""

from __future__ import annotations

from typing import Any

from nbprod.display import document, html, markdown, plain, with_secrets_masked


class Shown:
    """A verb's report. `report` is what the command line gives as JSON, without what looks like a secret."""

    def __init__(self, kind: str, report: dict[str, Any], sources: tuple[str, ...], at: tuple[Any, int]) -> None:
        self.report: dict[str, Any] = with_secrets_masked(report)
        self._document = document(kind, self.report, with_secrets_masked(sources))
        self._shell, self._count = at

    def __repr__(self) -> str:
        return plain(self._document)

    def _repr_html_(self) -> str:
        return html(self._document)

    def _repr_markdown_(self) -> str:
        return markdown(self._document)

    def display(self) -> None:
        """Show it now, whichever line of a cell it stands on."""
        from IPython.display import display

        bundle = {"text/plain": repr(self), "text/markdown": self._repr_markdown_(), "text/html": self._repr_html_()}
        display(bundle, raw=True)  # type: ignore[no-untyped-call]

    def _ipython_display_(self) -> None:
        """As the value of the cell that made it, it was shown already."""
        if self._shell.execution_count != self._count:
            self.display()
