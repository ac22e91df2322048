"""nbprod turns notebooks into production pipelines and proves the two equal."""

from typing import TypeVar

__version__ = "0.1.0"

N = TypeVar("N")


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "nbprod.server"}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "_labextension", "dest": "nbprod"}]


def load_ipython_extension(ipython: object) -> None:
    """What `%load_ext nbprod` calls: the magics are imported here, and not before."""
    from nbprod.magics import load

    load(ipython)


def unload_ipython_extension(ipython: object) -> None:
    """What `%unload_ext nbprod` calls."""
    from nbprod.magics import unload

    unload(ipython)


def metric(name: str, value: N) -> N:
    """Record a metric of the run, and give `value` back: see `nbprod.metrics.metric`."""
    from nbprod.metrics import metric

    return metric(name, value)


def panel(notebook: str | None = None) -> object:
    """The panel as widgets, of the notebook that this kernel runs or of the one named: see `nbprod.widgets.panel`."""
    from nbprod.widgets import panel

    return panel(notebook)
