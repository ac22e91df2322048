"""`nbprod mcp`: the read-only verbs for coding agents."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from nbprod.cli.terminal import common_options, note
from nbprod.errors import NbprodError, Where


@click.command(name="mcp")
@click.argument("folder", default=".", metavar="[DIR]")
@common_options
def command(folder: str) -> int:
    """The read-only verbs for coding agents, over the Model Context Protocol on standard input and output.

    An agent can inspect, slice, check, preview and compare the notebooks below DIR (default: the working directory),
    and read of packages, versions and the checklist. Nothing is run or written, and no notebook outside of DIR is read.
    It needs `pip install 'nbprod[mcp]'`.

    \b
    nbprod mcp
    claude mcp add nbprod -- nbprod mcp
    {"mcpServers": {"nbprod": {"command": "nbprod", "args": ["mcp", "path/to/project"]}}}
    """
    from nbprod.agents.server import server

    root = Path(folder).resolve()
    if not root.is_dir():
        raise NbprodError(f"there is no folder {folder}", code="no-folder", where=Where(folder), hint="name a project")
    os.chdir(root)
    made = server(root)
    if sys.stdin.isatty():
        note(f"nbprod mcp: waiting for an agent on standard input, for {root} (Ctrl+C ends it)")
    made.run("stdio")
    return 0
