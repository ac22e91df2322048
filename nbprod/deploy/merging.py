"""Two changes of one text put together, as git does it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS = 10.0


def merged(base: str, yours: str, theirs: str) -> str | None:
    """The text with what both sides changed; None where they changed the same lines, or git is not here."""
    with TemporaryDirectory(prefix="nbprod-merge-") as folder:
        paths = []
        for name, text in (("yours", yours), ("base", base), ("theirs", theirs)):
            path = Path(folder, name)
            path.write_bytes(text.encode())
            paths.append(str(path))
        try:
            done = subprocess.run(
                ["git", "merge-file", "-p", "--quiet", *paths], capture_output=True, timeout=SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    # The code is the number of places where the two sides disagree, or 255 where there is a fault.
    return done.stdout.decode() if done.returncode == 0 else None
