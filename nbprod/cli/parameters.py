"""Parameters of a notebook on the command line: `-p NAME VALUE`, their help, and what completes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from nbprod.errors import NbprodError

if TYPE_CHECKING:
    from nbprod.api.parameters import Parameter

_OPTION = ("-p", "--parameter")
_WORDS = "nbprod.words"
_LONGEST = 40
"""Characters of a default in the help."""


class NotebookCommand(click.Command):
    """A verb that runs notebooks: it takes `-p NAME=VALUE` too, and its help tells of a notebook's own parameters."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, which takes `-p NAME VALUE`."""
        words, arguments = _read(self, args)
        ctx.meta[_WORDS] = (words, arguments)
        return super().parse_args(ctx, words)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, and behind them the parameters of the notebooks that are named."""
        super().format_options(ctx, formatter)
        for path in _notebooks(ctx):
            with formatter.section(f"Parameters of {path}"):
                try:
                    formatter.write_dl([(_signature(each), _told(each)) for each in _parameters(path).values()])
                except NbprodError as error:
                    hint = f" {error.hint[0].upper()}{error.hint[1:]}." if error.hint else ""
                    formatter.write_text(f"None: {error.message}.{hint}")
                except OSError as error:
                    formatter.write_text(f"None: {error.strerror}.")


def _read(command: click.Command, args: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words of a call as click takes them, with `-p NAME=VALUE` as three, and the arguments among them.

    No name has a `=`, so a first word behind `-p` that has one is name and value; a second word is never looked into.
    """
    takes = {
        name: option.nargs
        for option in command.params
        if isinstance(option, click.Option) and not option.is_flag
        for name in option.opts
    }
    words: list[str] = []
    arguments: list[str] = []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        name, joined, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
        if word == "--":
            arguments += rest
            return [*words, word, *rest], arguments
        if not word.startswith("-") or word == "-":
            arguments.append(word)
            words.append(word)
        elif name in _OPTION:
            first = [value] if joined else rest[:1]
            rest = rest[0 if joined else 1 :]
            pair = _pair(first[0]) if first else None
            words += [name, *(pair or [*first, *rest[:1]])]
            rest = rest if pair else rest[1:]
        else:
            count = 0 if joined else takes.get(name, 0)
            words += [word, *rest[:count]]
            rest = rest[count:]
    return words, arguments


def _pair(word: str) -> list[str] | None:
    name, equals, value = word.partition("=")
    return [name, value] if equals and name.isidentifier() else None


def _notebooks(ctx: click.Context) -> list[str]:
    _, arguments = ctx.meta.get(_WORDS, ((), ()))
    return [each for each in arguments if Path(each).suffix in {".ipynb", ".py"} and "*" not in each]


def _parameters(path: str) -> Mapping[str, Parameter]:
    """The parameters of the notebook at `path`. Raises NbprodError where there are none, or OSError."""
    from nbprod.api.parameters import no_parameters, parameters_of
    from nbprod.notebook import read

    notebook = read(path)
    found = parameters_of(notebook)
    if not found:
        raise no_parameters(notebook)
    return found


def _signature(parameter: Parameter) -> str:
    from nbprod.api.parameters import kind_of

    return f"{parameter.name}  {kind_of(parameter) or 'any literal'}"


def _told(parameter: Parameter) -> str:
    from nbprod.notebook.redact import MASK, redact_text

    default = MASK if parameter.is_secret and parameter.default else parameter.text
    shown = default if len(default) <= _LONGEST else default[: _LONGEST - 1] + "…"
    said = [redact_text(parameter.description).rstrip(".")] if parameter.description else []
    said += ["required"] if parameter.is_required else [f"default {shown}"]
    said += ["secret: env:VARIABLE takes it from the environment"] if parameter.is_secret else []
    return "; ".join(said)


def _completion(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of parameters behind `-p`, and behind a name the values that its type counts up."""
    from nbprod.api.parameters import choices_of

    words, _ = ctx.meta.get(_WORDS, ((), ()))
    found: dict[str, Parameter] = {}
    for path in _notebooks(ctx):
        try:
            found.update(_parameters(path))
        except (NbprodError, OSError):
            continue
    if not words or words[-1] in _OPTION:
        return [
            CompletionItem(name, help=each.description) for name, each in found.items() if name.startswith(incomplete)
        ]
    chosen = found.get(words[-1])
    return [CompletionItem(each) for each in (choices_of(chosen) if chosen else ()) if each.startswith(incomplete)]


parameters_option = click.option(
    *_OPTION,
    "parameters",
    type=(str, str),
    multiple=True,
    metavar="NAME VALUE",
    help="A value for a name that the parameters cell sets, of its type; env:VARIABLE takes it from the environment.",
    shell_complete=_completion,
)
