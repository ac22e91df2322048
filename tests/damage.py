"""Cells as they are after a slip of the hand: what every reader of notebooks has to survive."""

from __future__ import annotations

import random
import re

WORDS = ["", "df", "[", "]", "(", ")", "*", "**", "=", ":=", ".", ":", "\\", "'", '"""', "#", "%", "!", "None", "-1"]
WORDS += ["lambda:", "(yield)", "await ", "del ", "global x", "return", "@", "...", "f'{", "\t", "\x0c", "\u2028", "é"]


def damaged(cell: str, chance: random.Random) -> str:
    """The cell with lines deleted, doubled, swapped, moved in or out, words replaced or swapped, or the end cut off."""
    lines = cell.split("\n")
    for _ in range(chance.randint(1, 5)):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        words = re.findall(r"\w+|\W", lines[at]) or [""]
        match chance.randrange(9):
            case 0:
                lines[at] = ""
            case 1:
                lines.insert(at, lines[at])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines[at] = "    " + lines[at]
            case 4:
                lines[at] = lines[at].lstrip()
            case 5:
                words[chance.randrange(len(words))] = chance.choice(WORDS)
                lines[at] = "".join(words)
            case 6:
                one, two = chance.randrange(len(words)), chance.randrange(len(words))
                words[one], words[two] = words[two], words[one]
                lines[at] = "".join(words)
            case 7:
                text = "\n".join(lines)
                lines = text[: chance.randrange(len(text) + 1)].split("\n")
            case _:
                lines = lines + lines
    return "\n".join(lines)
