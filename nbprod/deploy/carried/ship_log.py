"""Copy a service's prediction log to where others can read it, again and again, and once more at the end.

A log that is written to is safe to read on its own machine alone (https://sqlite.org/wal.html), so what is shipped is a
whole copy that nobody writes to any more: made beside, then put in place of the last one.
"""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path


def ship(log: Path, target: Path) -> bool:
    """Put a copy of `log` in the place of `target`; whether there was one to copy. Raises OSError, sqlite3.Error."""
    if not log.exists():
        return False
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.sqlite"
        with closing(sqlite3.connect(str(log))) as source, closing(sqlite3.connect(str(copy))) as made:
            source.backup(made)
            made.execute("pragma journal_mode = delete")
        beside = target.with_name(f".{target.name}.part")
        shutil.copyfile(copy, beside)
        beside.replace(target)
    return True


def main(words: list[str]) -> int:
    """`LOG TARGET SECONDS`: ship until SIGTERM or SIGINT, then a last time."""
    log, target, seconds = Path(words[0]), Path(words[1]), float(words[2])
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    while True:
        is_last = ending.wait(seconds)
        try:
            ship(log, target)
        except (OSError, sqlite3.Error) as error:
            print(json.dumps({"event": "prediction log", "error": str(error)}), file=sys.stderr, flush=True)
            if is_last:
                return 1
        if is_last:
            return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
