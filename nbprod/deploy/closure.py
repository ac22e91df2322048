"""Run in the package's environment: what distributions need, and what these need, with the versions that are there.

`python closure.py LINE...` takes lines of requirements and prints `{name: version}` as JSON. A marker counts as met,
but one for an extra: a constraint on what is not installed after all does no harm. A distribution that is not here is
left out with what it needs. The file imports nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from importlib import metadata


def closure(lines: Iterable[str]) -> dict[str, str]:
    """The versions of all distributions that are needed, by their normalized names."""
    found: dict[str, str] = {}
    waiting = [normalized(line) for line in lines]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            there = metadata.distribution(name)
        except (metadata.PackageNotFoundError, ValueError):
            continue
        found[name] = there.version
        waiting += [normalized(line) for line in there.requires or () if not re.search(r";.*\bextra\s*==", line)]
    return dict(sorted(found.items()))


def normalized(line: str) -> str:
    """The name of the distribution that a line of requirements is about (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", line.strip(), maxsplit=1)[0]).lower()


if __name__ == "__main__":
    print(json.dumps(closure(sys.argv[1:])))
