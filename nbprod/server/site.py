"""What the routes of one server share: its folder, and the work that is under way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from nbprod.api.answers import Place, Problem
from nbprod.api.inside import resolve_inside, shown_path, shown_paths
from nbprod.server.jobs import Board
from nbprod.server.latest import Latest


class Site:
    """One server: `root` is the folder that it shows, and outside of which nothing is read."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self.studies = Latest()
        self.jobs = Board(self.shown_text, self.shown_problem)

    @property
    def root(self) -> Path:
        """The folder that the server shows."""
        return Path(self._settings["server_root_dir"])

    def resolved(self, path: str) -> str:
        """The file that `path` below the root means. Raises NbprodError (`outside-root`)."""
        hidden = bool(self._settings["contents_manager"].allow_hidden)
        return str(resolve_inside(self.root, path, allow_hidden=hidden))

    def shown(self, path: str) -> str:
        """A file's path as the browser knows it."""
        return shown_path(self.root, path)

    def shown_text(self, text: str) -> str:
        """A text, the paths in it as the browser knows them."""
        return shown_paths(self.root, text)

    def shown_problem(self, problem: Problem) -> Problem:
        """A problem, with its place and the paths of its words as the browser knows them."""
        where = problem.where
        return replace(
            problem,
            message=self.shown_text(problem.message),
            hint=problem.hint and self.shown_text(problem.hint),
            where=replace(where, path=self.shown(where.path)) if isinstance(where, Place) else where,
        )
