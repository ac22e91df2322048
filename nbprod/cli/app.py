"""The command `nbprod`: its verbs, loaded when called, and the one edge at which errors are shown."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import click

from nbprod import __version__
from nbprod.cli.terminal import common_options, show_error, show_fault
from nbprod.environment import leave_out_slow_imports
from nbprod.errors import NbprodError, from_system


class Verb(NamedTuple):
    """A verb's module under `nbprod.cli.verbs`, its line of the help, and its place there."""

    module: str
    help: str
    section: str


VERBS: dict[str, Verb] = {
    "init": Verb("init", "Write the configuration, a pre-commit hook and a CI workflow.", "Start"),
    "demo": Verb("demo", "Copy an example project and run all of it.", "Start"),
    "tag": Verb("tag", "Show the cells' roles and suggestions; set them.", "Notebook"),
    "inspect": Verb("inspect", "Cells, dataflow, findings and plan, without running anything.", "Notebook"),
    "check": Verb("check", "Has the notebook moved away from its package? Findings too.", "Notebook"),
    "export": Verb("export", "Extract the notebook into a versioned Python package.", "Package"),
    "run": Verb("run", "Run and track the notebook; fit, prove and register its package.", "Package"),
    "verify": Verb("verify", "Prove by replay that the package equals the notebook.", "Package"),
    "cache": Verb("cache", "The stages that need not run again; clear them.", "Package"),
    "reproduce": Verb("reproduce", "Run a recorded run again and compare what it gives.", "Package"),
    "sync": Verb("sync", "Send runs that the tracking server missed.", "Package"),
    "diff": Verb("diff", "Compare two versions, or a notebook and a version, by feature.", "Package"),
    "versions": Verb("versions", "The ledger: show, promote, rollback, history, trace, prune.", "Package"),
    "readiness": Verb("readiness", "May this go live? The checklist, from evidence.", "Production"),
    "serve": Verb("serve", "Serve predictions over HTTP.", "Production"),
    "score": Verb("score", "Score a file of raw rows.", "Production"),
    "monitor": Verb("monitor", "Has what is served moved away from training?", "Production"),
    "deploy": Verb("deploy", "Write what an engine runs: a container, a cluster, an orchestrator.", "Production"),
    "mcp": Verb("mcp", "The read-only verbs for coding agents, over stdio.", "Agents"),
}


class App(click.Group):
    """A group whose verbs are imported when they are called, and which shows each error once."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The verbs in the order of the help."""
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module and take its command."""
        if cmd_name not in VERBS:
            return None
        module = import_module(f"nbprod.cli.verbs.{VERBS[cmd_name].module}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest verb in the error."""
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            raise _unknown_verb(args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs by section, from the table: nothing is imported for it."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, verb in VERBS.items():
            sections.setdefault(verb.section, []).append((name.ljust(9), verb.help))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows, col_max=13)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, show what went wrong, and leave with 0, 1 (found what it looks for) or 2 (could not work)."""
        arguments = list(sys.argv[1:] if args is None else args)
        if standalone_mode:
            leave_out_slow_imports()
        if os.environ.get("NO_COLOR"):
            extra["color"] = False
        run = partial(super().main, arguments, prog_name, complete_var, standalone_mode=False, **extra)
        verb = next((f"nbprod {each}" for each in arguments[:1] if each in VERBS), "nbprod")
        code = _guarded(run, verb, debug="--debug" in arguments)
        if standalone_mode:
            sys.exit(code)
        return code


def _guarded(run: Callable[[], Any], verb: str, *, debug: bool) -> int:
    try:
        return int(run() or 0)
    except NbprodError as error:
        show_error(error, debug=debug)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
    except click.UsageError as error:
        show_error(_from_usage(error, verb))
    except click.ClickException as error:
        show_error(NbprodError(error.format_message(), code="usage"))
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return 130
    except OSError as error:
        show_error(from_system(error), debug=debug)
    except Exception as error:  # noqa: BLE001 - the edge: a fault of nbprod itself is reported as one
        show_fault(error, debug=debug)
    return 2


def _unknown_verb(word: str) -> NbprodError:
    from difflib import get_close_matches

    from nbprod.cli.verbs.versions import ACTIONS

    near = get_close_matches(word, VERBS, n=1)
    if word in ACTIONS:
        hint = f'did you mean "nbprod versions NAME {word}"?'
    else:
        hint = f'did you mean "nbprod {near[0]}"?' if near else f"verbs: {', '.join(VERBS)}"
    return NbprodError(f'there is no verb "{word}"', code="usage", hint=hint)


def _from_usage(error: click.UsageError, verb: str) -> NbprodError:
    path = error.ctx.command_path if error.ctx else verb  # click's parser of options knows no context
    message = error.format_message().rstrip(".").strip()
    return NbprodError(message[:1].lower() + message[1:], code="usage", hint=f"see {path} --help")


@click.command(cls=App, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="nbprod %(version)s")
@common_options
def app() -> None:
    """Turn a notebook into a production pipeline, and prove the two equal.

    \b
    nbprod tag sales.ipynb --apply       mark the cells: data, features, train, evaluate
    nbprod export sales.ipynb            write pipelines/sales, a package that needs no nbprod
    nbprod run sales.ipynb               run, track, fit, prove by replay, register
    nbprod check sales.ipynb             has the notebook moved away from its package?
    nbprod serve sales                   POST /predict

    Every verb takes .ipynb and percent-format .py files, folders and globs. See nbprod VERB --help.
    """


def main() -> None:
    """The entry point of the command `nbprod`.

    Garbage is looked for seldom, as a short process makes little, and not at all among what is left at its end.
    """
    gc.set_threshold(50_000, 20, 20)
    try:
        app()
    finally:
        gc.freeze()
