"""The Jupyter server extension: what JupyterLab's sidebar asks for, under `/nbprod/api/v1/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _load_jupyter_server_extension(server_app: ServerApp) -> None:
    """Add the routes to a server that is starting."""
    from nbprod.server.handlers import handlers
    from nbprod.server.site import Site

    web_app = server_app.web_app
    web_app.add_handlers(".*$", handlers(web_app.settings["base_url"], Site(web_app.settings)))
    server_app.log.info("nbprod answers under %snbprod/api/v1/", web_app.settings["base_url"])
