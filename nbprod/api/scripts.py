"""Scripts that run in a package's own environment and answer in JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any


def answered(command: list[str], given: Any = None) -> Mapping[str, Any]:
    """The JSON object that a script prints last; a `reason` where it prints none. `given` is its stdin, as JSON."""
    said = "" if given is None else json.dumps(given)
    done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or [f"the process ended with {done.returncode}"])[-1]
        return {"reason": last}
    return answer if isinstance(answer, dict) else {"reason": f"the process told {answer!r}"}
