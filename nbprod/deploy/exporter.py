"""What an exporter is: a pure function from a deployment to files."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from nbprod.model.deployment import Deployment, File

Files = Callable[[Deployment, str], Iterator[File]]


class Compiled(Struct, frozen=True):
    """A file that a script of the target compiles, with a package that nbprod does not need: `python source out`.

    The first line of what is compiled has the sha256 of the source. `at_least` is the major version of the package,
    `variable` the environment variable that names an interpreter that has it.
    """

    source: str
    out: str
    package: str
    at_least: int
    variable: str


class Exporter(Struct, frozen=True):
    """A target of `nbprod deploy`.

    `files` gives the files for a deployment and the folder that is the target's own (posix, relative to the project's
    root); the same deployment gives the same bytes. `notes` are what a person has to know or do before it is used,
    `steps` the commands that come next, in the project's root, as a shell takes them. `builds` says that an image is
    built on the base image, `schedules` whether what is written trains again on the schedule of the flow. `compiled` is
    what a script among the files compiles.
    """

    name: str
    title: str
    files: Files
    notes: Callable[[Deployment, str], Sequence[str]]
    steps: Callable[[Deployment, str], Sequence[str]]
    builds: bool = False
    schedules: Callable[[Deployment], bool] = lambda _: False
    compiled: Compiled | None = None


def header(deployment: Deployment, target: str, sign: str = "#") -> str:
    """The first lines of a file: who writes it, and what becomes of edits."""
    return (
        f"{sign} Written by `nbprod deploy {deployment.name} {target}` for version {deployment.version}.\n"
        f"{sign} What is changed by hand is kept: the next `nbprod deploy` shows where it would write something else.\n"
    )


def comment(text: str, sign: str = "#") -> str:
    """A text as lines of comment; those that begin with a space, such as commands, are not broken."""
    lines = (
        [line] if line.startswith(" ") else textwrap.wrap(line, 118, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )
    return "".join(f"{sign} {part}".rstrip() + "\n" for parts in lines for part in parts)


def up(folder: str) -> str:
    """The way from a folder below the project's root back to the root, such as `../../..`."""
    return "/".join([".."] * (folder.count("/") + 1))
