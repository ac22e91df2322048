"""Run by a kernel's interpreter as a script: what is installed there, as JSON.

The file imports nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from importlib import metadata, util
from pathlib import Path


def main(modules: list[str]) -> dict[str, object]:
    """Python, platform, and each distribution with its version and where it came from, if from no index.

    Of the top-level `modules` those that can't be imported there are told; none of them is.
    """
    beside = Path(__file__).resolve().parent  # what lies there is found by nobody else
    sys.path[:] = [place for place in sys.path if place and Path(place).resolve() != beside]
    found: dict[str, dict[str, str]] = {}
    for one in metadata.distributions():
        name = one.metadata["Name"]
        if name is None:
            continue
        # The first on the path is the one that is imported.
        found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), {"version": one.version, **source_of(one)})
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "executable": sys.executable,
        "distributions": {name: found[name] for name in sorted(found)},
        "hash_seed": os.environ.get("PYTHONHASHSEED"),
        "not_found": [name for name in modules if util.find_spec(name) is None],
    }


def source_of(one: metadata.Distribution) -> dict[str, str]:
    """A repository with its commit, an archive's address, or that it is a folder (PEP 610)."""
    text = one.read_text("direct_url.json")
    if not text:
        return {}
    told = json.loads(text)
    if "vcs_info" in told:
        return {"source": f"{told['vcs_info']['vcs']}+{told['url']}@{told['vcs_info']['commit_id']}"}
    if "archive_info" in told:
        return {"source": str(told["url"])}
    return {"source": "a folder"}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
