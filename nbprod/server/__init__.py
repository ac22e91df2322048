"""The Jupyter server extension: what JupyterLab's sidebar asks for, under `/nbprod/api/v1/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _load_jupyter_server_extension(server_app: ServerApp) -> None:
    """Add the routes to a server that is starting."""
    from nbprod.server.handlers import routes

    web_app = server_app.web_app
    web_app.add_handlers(".*$", routes(web_app.settings["base_url"]))
    server_app.log.info("nbprod answers under %snbprod/api/v1/", web_app.settings["base_url"])
