"""Files of a deployment that a script of it compiles, with a package that another interpreter may have."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import quote

from nbprod.deploy.exporter import Compiled
from nbprod.deploy.owned import compared
from nbprod.deploy.records import Before, digest_of, read_record
from nbprod.errors import NbprodError, Where
from nbprod.model.deployment import File

SECONDS = 300
ASK = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
LINES = 12
"""Of what a compiler says last, where it fails."""


def compiled(
    recipe: Compiled,
    root: Path,
    folder: str,
    files: Sequence[File],
    *,
    python: str | None = None,
    check: bool = False,
    force: bool = False,
    merges: bool = True,
) -> tuple[File | None, str | None]:
    """The file that the script among `files` compiles, and what a person has to know of it.

    What lies there stays as long as it was compiled from the script as it stands, so that neither another version of
    the compiler nor its absence makes it stale. Otherwise it is compiled anew; without a compiler there is none, for
    that of another script would run what nobody asked for. With `check` nothing is run, a person's script least of
    all: a file that is there is stale by its first line, and one that is not is none that is missed, since it may be
    compiled elsewhere. `force` and `merges` are as for the files.

    Raises NbprodError: `no-compiler` where the named interpreter has no such package, `not-compiled` where it fails.
    """
    path = f"{folder}/{recipe.out}"
    source = _source(recipe, root, folder, files, force=force, merges=merges)
    there = (root / path).read_text("utf-8", "backslashreplace") if (root / path).is_file() else None
    record = read_record(root / folder)
    before = Before() if record is None else record.files.get(path, Before())
    is_known = before.is_of(there) if there is not None else False
    if there is not None and _is_of(there, source) and (is_known or (check and not before.digest)):
        return File(path, there), None
    if check:
        return None if there is None else File(path, _as_if_of(there, source)), None
    found = _interpreter(recipe, python)
    if found is None:
        return None, (
            f"{recipe.out} is not compiled, for {recipe.package} {recipe.at_least} is not here: --python PATH or "
            f"{recipe.variable} names an interpreter that has it"
        )
    is_theirs = all(file.text != source for file in files if file.path == f"{folder}/{recipe.source}")
    return File(path, _compiled(recipe, f"{folder}/{recipe.source}", source, found, is_theirs=is_theirs)), None


def step(recipe: Compiled, folder: str) -> str:
    """The command that compiles the file, for whoever has the compiler."""
    script = quote(f"{folder}/{recipe.source}")
    return f"python {script}  # compiles {recipe.out}, with {recipe.package} {recipe.at_least} or newer"


def _source(recipe: Compiled, root: Path, folder: str, files: Iterable[File], *, force: bool, merges: bool) -> str:
    """The script as it will stand: what a person has made of it stays theirs."""
    path = f"{folder}/{recipe.source}"
    script = next(file for file in files if file.path == path)
    found = next(each for each in compared(root, folder, [script], merges=merges) if each.path == path)
    if found.text is not None:
        return found.text
    is_theirs = found.state == "edited" or (found.state == "conflict" and not force)
    return (root / path).read_text("utf-8", "backslashreplace") if is_theirs else script.text


def _is_of(text: str, source: str) -> bool:
    return text.partition("\n")[0].endswith(f" {digest_of(source)}")


def _as_if_of(text: str, source: str) -> str:
    """A compiled text with the first line that it has once it is compiled from a script as it stands."""
    first, end, rest = text.partition("\n")
    return f"{first.rpartition(' ')[0]} {digest_of(source)}{end}{rest}"


def _interpreter(recipe: Compiled, python: str | None) -> str | None:
    named = python or os.environ.get(recipe.variable)
    if named is None:
        return sys.executable if _has(recipe, sys.executable) else None
    if os.sep in named:
        # It is called in another folder; not resolved, for the link is what makes an environment one.
        named = str(Path.cwd() / named)
    if not _has(recipe, named):
        raise NbprodError(
            f"{named} is no interpreter with {recipe.package} {recipe.at_least} or newer",
            code="no-compiler",
            where=Where(named),
            hint=f"{named} -m pip install '{recipe.package}>={recipe.at_least}', in an environment of its own",
        )
    return named


def _has(recipe: Compiled, python: str) -> bool:
    try:
        done = subprocess.run([python, "-c", ASK, recipe.package], capture_output=True, text=True, check=False)
    except OSError:
        return False
    major = done.stdout.partition(".")[0]
    return done.returncode == 0 and major.isdecimal() and int(major) >= recipe.at_least


def _compiled(recipe: Compiled, path: str, source: str, python: str, *, is_theirs: bool) -> str:
    """What the script compiles, which lies in `path`, and as a person has changed it if `is_theirs`."""
    with tempfile.TemporaryDirectory(prefix="nbprod-") as name:
        script, out = Path(name) / recipe.source, Path(name) / recipe.out
        script.write_bytes(source.encode())
        try:
            done = subprocess.run(
                [python, str(script), str(out)], cwd=name, capture_output=True, text=True, check=False, timeout=SECONDS
            )
            said, failed = done.stderr, done.returncode != 0
        except subprocess.TimeoutExpired:
            said, failed = f"it took longer than {SECONDS} seconds", True
        except OSError as error:
            said, failed = str(error), True
        if failed or not out.is_file():
            lines = "\n".join(said.strip().splitlines()[-LINES:])
            raise NbprodError(
                f"{recipe.source} is not compiled: {lines}",
                code="not-compiled",
                where=Where(path),
                hint="it was edited: mend it, restore it, or remove it, and deploy again"
                if is_theirs
                else f"see whether that interpreter has all of {recipe.package}: "
                f"{quote(python)} -m pip install --upgrade '{recipe.package}>={recipe.at_least}'",
            )
        return out.read_text("utf-8")
