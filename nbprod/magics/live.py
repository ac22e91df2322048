"""`%nbprod check --live`: its options, and what the magic knows of the kernel handed to the API."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from msgspec import Struct

from nbprod import api
from nbprod.errors import NbprodError
from nbprod.magics.calling import show
from nbprod.magics.watching import Past

HELP = """\
In the notebook also:
  --live [--raw NAME] [--frame NAME]
        Compare what lies in this kernel with the newest fitted version's own transform of the raw rows. --raw names
        the variable with the raw rows, --frame the one to compare, where they are not the notebook's own."""


class Asked(Struct, frozen=True):
    """The options of one call."""

    notebook: str | None
    raw: str | None
    frame: str | None
    output: str | None


class _Options(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Wrong options are told by the magic, which does not leave the kernel."""
        raise ValueError(f"%nbprod check --live: {message}")


def asked_for(words: Sequence[str]) -> Asked:
    """The options as values. Raises ValueError in words for what there is not."""
    options = _Options(prog="%nbprod check", add_help=False, allow_abbrev=False)
    options.add_argument("notebook", nargs="?")
    options.add_argument("--live", action="store_true")
    options.add_argument("--raw")
    options.add_argument("--frame")
    options.add_argument("-o", "--output")
    found = options.parse_args(list(words))
    return Asked(found.notebook, found.raw, found.frame, found.output)


def compared(path: str, namespace: Mapping[str, Any], past: Past, asked: Asked) -> tuple[int, dict[str, Any] | None]:
    """The exit code (1 where something differs) and the report, None where an error was shown."""
    kernel = api.Kernel(namespace, past.kept, past.ran)
    try:
        report = api.live_check(path, kernel, raw=asked.raw, frame=asked.frame, output=asked.output)
    except NbprodError as error:
        show(error)
        return 2, None
    return int(report["verdict"] == "differs"), report
