"""The walk-through of the page on readiness: its blocks, and its diffs put into notebooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "readiness.md").read_text(encoding="utf-8")
WALK = PAGE.partition("\n## A walk-through\n")[2].partition("\n## ")[0]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """The fenced blocks of the walk-through with their languages, in order."""
    return BLOCK.findall(WALK)


def edited(sources: list[str], diff: str) -> list[str]:
    """The cells' texts with the lines of a diff put in; cells whose text goes altogether are left out."""
    made, gone = list(sources), set()
    for head, lines in re.findall(r"^# cells? ([\d, ]+)\n((?:[ +-].*\n|-\n)*)", diff, re.MULTILINE):
        numbers = [int(each) for each in head.split(",")]
        if lines.strip() == "-":
            gone.update(numbers)
            continue
        (number,) = numbers
        made[number] = "\n".join(_merged(made[number].splitlines(), lines.splitlines()))
    return [text for number, text in enumerate(made) if number not in gone]


def _merged(text: list[str], diff: list[str]) -> Iterator[str]:
    """A cell's lines, in which those of the diff are taken out, kept and added where they stand."""
    anchor = [line[1:] for line in diff if line[0] in " -"]
    assert all(line in text for line in anchor), anchor
    at = text.index(anchor[0])
    yield from text[:at]
    for line in diff:
        if line[0] == "+":
            yield line[1:]
        else:
            while text[at] != line[1:]:
                yield text[at]
                at += 1
            if line[0] == " ":
                yield text[at]
            at += 1
    yield from text[at:]


def edit(path: Path, diff: str) -> None:
    """Put a diff of the page into a notebook."""
    document = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    before = ["".join(cell["source"]) for cell in code]
    gone = {int(n) for head in re.findall(r"^# cells? ([\d, ]+)\n-\n", diff, re.MULTILINE) for n in head.split(",")}
    kept = [cell for number, cell in enumerate(code) if number not in gone]
    for cell, text in zip(kept, edited(before, diff), strict=True):
        cell["source"] = text.splitlines(keepends=True)
    document["cells"] = [cell for cell in document["cells"] if cell["cell_type"] != "code" or cell in kept]
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
