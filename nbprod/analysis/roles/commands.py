"""What commands in a cell do, by shell lines and magics: installing libraries, fetching files, looking into them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbprod.model.notebook import Magic

_COMMANDS = (
    (
        "imports",
        "installs libraries",
        re.compile(r"(pip3?|conda|mamba|(python3?|\{sys\.executable\}) -m pip) +install\b"),
    ),
    ("data", "fetches files", re.compile(r"(wget|curl|gdown|git +clone)\b|kaggle .*\bdownload\b")),
    ("explore", "looks into a file", re.compile(r"(head|tail|cat|wc|less|more)\b")),
)
_MARK = re.compile(r"^\s*(\w+\s*=\s*)?[!%]+\s*")


def steps_of_commands(magics: tuple[Magic, ...]) -> Iterator[tuple[int, str, str, str]]:
    """The line of each command that does a step (1-based), the step, why, and the command."""
    for magic in magics:
        command = _MARK.sub("", magic.text)
        for step, message, form in _COMMANDS:
            if form.match(command):
                yield magic.line, step, message, command
