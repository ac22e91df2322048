"""Put the prediction logs of several replicas together into one, and drop copies of replicas that are long gone."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

DAY = 86400


def gather(logs: Iterable[Path], target: Path) -> int:
    """Write the rows and settings of `logs` into `target`, which is new; the number of rows. Raises sqlite3.Error."""
    with closing(sqlite3.connect(target.resolve().as_uri(), isolation_level=None, uri=True)) as whole:
        for log in logs:
            whole.execute("attach database ? as one", (f"{log.resolve().as_uri()}?mode=ro&immutable=1",))
            for (statement,) in whole.execute("select sql from one.sqlite_master where type = 'table'").fetchall():
                whole.execute(statement.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ", 1))
            whole.execute("insert into predictions select * from one.predictions")
            whole.execute("insert or replace into settings select * from one.settings")
            whole.execute("detach database one")
        has_any = whole.execute("select count(*) from sqlite_master where name = 'predictions'").fetchone()[0]
        return int(whole.execute("select count(*) from predictions").fetchone()[0]) if has_any else 0


def kept(folder: Path, days: float) -> list[Path]:
    """The copies in a folder; those that were last shipped more than `days` ago are removed."""
    copies = sorted(folder.glob("*.sqlite"))
    old = [path for path in copies if path.stat().st_mtime < time.time() - days * DAY]
    for path in old:
        path.unlink()
    return [path for path in copies if path not in old]


def main(words: list[str]) -> int:
    """`FOLDER TARGET DAYS`; 0 where there are rows, 3 where there are none yet."""
    copies = kept(Path(words[0]), float(words[2]))
    rows = gather(copies, Path(words[1]))
    print(f"{rows} rows of {len(copies)} replicas", file=sys.stderr, flush=True)
    return 0 if rows else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
