"""`nbprod.panel()`: findings, divergence, features, readiness and runs as widgets, where there is no sidebar."""

from __future__ import annotations

import os
from shlex import quote
from typing import Any

from msgspec import to_builtins

from nbprod.api.apart import SeparateRun
from nbprod.api.current import notebook_path
from nbprod.api.packages import target_in_project
from nbprod.api.progress import Progress
from nbprod.api.readying import readiness
from nbprod.api.watching import watched
from nbprod.api.worker import Said
from nbprod.display import Document, document, html, plain, with_secrets_masked
from nbprod.display.document import Line
from nbprod.errors import NbprodError, Where, from_json

STAGES = ("plan", "run", "fit", "verify", "track")
SECTIONS = ("Divergence", "Features", "Readiness")


class PanelError(NbprodError):
    """An error that a notebook shows as the command line does, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


def panel(notebook: str | None = None) -> Panel | PlainPanel:
    """The panel of a notebook; of the one that this kernel runs where none is named.

    Without ipywidgets it is the same as plain text. Raises PanelError (`not-found`) where there is no such notebook, or
    the kernel can't tell which it runs.
    """
    path = notebook or notebook_path(_namespace(), os.environ)
    if path is None:
        raise PanelError(
            "the kernel can't tell which notebook it runs",
            code="not-found",
            hint='name it by the argument `notebook`: nbprod.panel(notebook="sales.ipynb")',
        )
    if not os.path.isfile(path):  # noqa: PTH113 - a path that the operating system can't take is no file
        raise PanelError("there is no such notebook", code="not-found", where=Where(path))
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        return PlainPanel(path)
    return Panel(path)


def documents(path: str) -> tuple[Document, ...]:
    """What the panel shows of a notebook as it is saved, one document for each of `SECTIONS`."""
    try:
        report, notebook = watched(path)
        told = with_secrets_masked(report)
        sources = with_secrets_masked(tuple(cell.source for cell in notebook.cells))
    except NbprodError as error:
        told_of = Document(_called(path, path), "error", "bad", "", _lines(error, path))
        return (told_of, Document("features", "none", "plain"), _readiness(path))
    version = told["check"]["version"]
    check = {
        **told,
        "notebook": _called(path, path),
        "verdict": told["check"]["verdict"],
        "divergences": told["check"]["divergences"],
        "package": None if version is None else f"{told['check']['name']}, version {version}",
    }
    return (document("check", check, sources), document("features", told), _readiness(path))


def _called(text: str, path: str) -> str:
    """`text` with the notebook by its name alone: what is shown is saved with the notebook, and then elsewhere."""
    return text.replace(path, os.path.basename(path))  # noqa: PTH119 - a text, which need not be a path


def _lines(error: NbprodError, path: str) -> tuple[Line, ...]:
    return tuple(map(Line, _called(str(error), path).splitlines()))


def _readiness(path: str) -> Document:
    try:
        return document("readiness", with_secrets_masked(to_builtins(readiness(path))))
    except NbprodError as error:
        return Document("readiness", "unknown", "warning", error.message)


def _namespace() -> dict[str, Any]:
    from IPython import get_ipython

    shell = get_ipython()
    return {} if shell is None else dict(shell.user_ns)


class PlainPanel:
    """The panel as text, for places without ipywidgets."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.documents = documents(path)

    def refresh(self) -> None:
        """Read the notebook again."""
        self.documents = documents(self.path)

    def __repr__(self) -> str:
        name = _called(self.path, self.path)
        hint = f"(ipywidgets is not installed here: this is the panel as text; run with `nbprod run {quote(name)}`)"
        return "\n\n".join([*map(plain, self.documents), hint])


class Panel:
    """The panel as widgets: the sections, and a run with its progress."""

    def __init__(self, path: str) -> None:
        import ipywidgets as w

        self.path = path
        self.running: SeparateRun | None = None
        self.refresh_button = w.Button(description="Refresh", icon="refresh", tooltip="Read the notebook again")
        self.run_button = w.Button(
            description="Run",
            icon="play",
            button_style="primary",
            tooltip="Run the notebook; fit and prove its package",
        )
        self.cancel_button = w.Button(description="Cancel", icon="stop", disabled=True, tooltip="Stop the run")
        self.bar = w.IntProgress(min=0, max=1, layout=w.Layout(visibility="hidden", width="16em"))
        self.stages = w.HTML()
        self.sections = tuple(w.HTML() for _ in SECTIONS)
        tabs = w.Tab(children=self.sections)
        for number, title in enumerate(SECTIONS):
            tabs.set_title(number, title)
        buttons = w.HBox([self.refresh_button, self.run_button, self.cancel_button, self.bar])
        self.box = w.VBox([buttons, self.stages, tabs])
        self.refresh_button.on_click(lambda _: self.refresh())
        self.run_button.on_click(lambda _: self.run())
        self.cancel_button.on_click(lambda _: self.cancel())
        self.documents: tuple[Document, ...] = ()
        self.refresh()

    def refresh(self) -> None:
        """Read the notebook again and show it."""
        self.documents = documents(self.path)
        for section, shown in zip(self.sections, self.documents, strict=True):
            section.value = html(shown)

    def run(self) -> None:
        """Run the notebook as it is saved, as `nbprod run --auto` does, in a process of its own."""
        if self.running is not None:
            return
        self.run_button.disabled, self.cancel_button.disabled = True, False
        self.bar.layout.visibility, self.bar.bar_style = "visible", ""
        self._say(Document("run", "starting", "plain"))
        try:
            packages = str(target_in_project(self.path).root)
            self.running = SeparateRun(self.path, self._progress, self._ended, output=packages)
        except NbprodError as error:
            self._ended(Said(error=error.as_json()))

    def cancel(self) -> None:
        """Stop the run, and its kernel with it."""
        if self.running is not None:
            self.cancel_button.disabled = True
            self._say(Document("run", "stopping", "warning"))
            self.running.cancel()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the run that was started; whether it ended in time."""
        return self.running is None or self.running.wait(seconds)

    def _progress(self, told: Progress) -> None:
        self.bar.max, self.bar.value = max(told.total, 1), told.done
        at = STAGES.index(told.stage) + 1 if told.stage in STAGES else 0
        self._say(Document(told.stage, f"{at} of {len(STAGES)}", "plain", told.text))

    def _ended(self, ended: Said) -> None:
        self.running = None
        self.cancel_button.disabled = True
        try:
            shown = _outcome(ended, self.path)
            self.bar.bar_style = {"good": "success", "bad": "danger"}.get(shown.tone, "warning")
            self._say(shown)
            self.refresh()
        finally:
            self.run_button.disabled = False

    def _say(self, shown: Document) -> None:
        self.state = with_secrets_masked(plain(shown))
        self.stages.value = with_secrets_masked(html(shown))

    def __repr__(self) -> str:
        return "\n\n".join(map(plain, self.documents))

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        """The widgets, and text where the front end has none."""
        bundle: dict[str, Any] = self.box._repr_mimebundle_() or {}
        return {**bundle, "text/plain": repr(self)}


def _outcome(ended: Said, path: str) -> Document:
    """How a run of the notebook at `path` came out, in a line or two."""
    if ended.error is not None:
        return Document("run", "failed", "bad", "", _lines(from_json(ended.error), path))
    if ended.result is None:
        return Document("run", "cancelled", "warning", "its record is closed; nothing was registered")
    report = ended.result
    if report["refusals"]:
        reasons = tuple(
            Line(f"cell {each['cell']}, line {each['line']}: {each['reason']}") for each in report["refusals"]
        )
        return Document("run", "refused", "bad", "nothing was run", reasons)
    status = report["verify"]["status"] if report["verify"] else "not proven"
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in report["metrics"].items())
    told = f"version {report['version']}" + (f": {metrics}" if metrics else "")
    return Document("run", status, "good" if status in ("proven", "observed") else "bad", told)
