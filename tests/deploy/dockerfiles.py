"""A Dockerfile read: its stages with their instructions, and the files that a stage's COPYs would put into an image."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath


@dataclass
class Stage:
    """A stage: its base, and its instructions as pairs of word and rest, in order."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def last(self, word: str) -> str:
        """What stands behind the last instruction of a kind."""
        return [rest for each, rest in self.instructions if each == word][-1]

    def words(self, word: str) -> list[str]:
        """An instruction in the form of JSON."""
        words: list[str] = json.loads(self.last(word))
        return words

    def environment(self) -> dict[str, str]:
        """What ENV sets."""
        pairs = [pair.partition("=") for word, rest in self.instructions if word == "ENV" for pair in rest.split()]
        return {name: value for name, _, value in pairs}

    def health(self) -> list[str]:
        """The command of HEALTHCHECK."""
        words: list[str] = json.loads(self.last("HEALTHCHECK").partition("CMD ")[2])
        return words


def stages_of(text: str) -> dict[str, Stage]:
    """The stages of a Dockerfile by name, in order; arguments of the whole file are put in."""
    found: dict[str, Stage] = {}
    arguments: dict[str, str] = {}
    for word, rest in _instructions(text):
        if word == "FROM":
            base, _, name = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], rest).partition(" AS ")
            found[name] = Stage(name, base)
        elif not found:
            assert word == "ARG", f"{word} before FROM"
            name, _, value = rest.partition("=")
            arguments[name] = value
        else:
            list(found.values())[-1].instructions.append((word, rest))
    return found


def copied(stages: dict[str, Stage], name: str, context: Path, ignored: str, root: Path, taken: str = "/") -> None:
    """Put what the COPYs of a stage and those that it copies from take of `context` below `root`, as they would.

    Only what lies below `taken` in the stage is put there.
    """
    patterns = [line for line in ignored.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"\*\*/[^/]+", line) for line in patterns), "this reads no other patterns"
    endings = [line.removeprefix("**/") for line in patterns]
    for word, rest in stages[name].instructions:
        if word != "COPY":
            continue
        words = json.loads(rest) if rest.startswith("[") else rest.split()
        options = [each for each in words if each.startswith("--")]
        *sources, target = [each for each in words if not each.startswith("--")]
        stage = next((each.removeprefix("--from=") for each in options if each.startswith("--from=")), None)
        if stage is None and not _place(stages[name], target).startswith(taken):
            continue
        if stage is None:
            _copy_files(sources, target, context, endings, _below(root, _place(stages[name], target)))
        elif sources == ["/app"]:
            copied(stages, stage, context, ignored, root, "/app/")
        else:
            assert sources == ["/opt/venv"], sources


def _copy_files(sources: list[str], target: str, context: Path, ignored: list[str], into: Path) -> None:
    for source in sources:
        found = sorted(context.glob(_matched(source).rstrip("/")))
        assert found, f"COPY finds no {source}"
        for path in found:
            if any(fnmatchcase(part, each) for part in path.relative_to(context).parts for each in ignored):
                continue
            if path.is_dir():
                kept = shutil.ignore_patterns(*ignored)
                shutil.copytree(path, into, ignore=kept, dirs_exist_ok=True)
            else:
                assert target.endswith("/") or len(found) == 1
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, into / path.name if target.endswith("/") else into)


def _matched(source: str) -> str:
    """A source of COPY as a pattern of Python: a backslash takes the meaning from a character, first in the shell's
    words, then in the pattern (moby/buildkit frontend/dockerfile/shell/lex.go, Go's filepath.Match).
    """
    assert not re.search(r"""(?<!\\)(?:\\\\)*["'$]""", source), "a quote or a variable"
    return re.sub(r"\\(.)", r"[\1]", re.sub(r"\\(.)", r"\1", source))


def _place(stage: Stage, target: str) -> str:
    return str(PurePosixPath(stage.last("WORKDIR"), target))


def _below(root: Path, place: str) -> Path:
    return root / place.lstrip("/")


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    for line in whole.splitlines():
        word, _, rest = line.partition(" ")
        yield word, rest.strip()
