"""The prediction log: a sample of the rows that were answered, in a sqlite file that is bounded in rows and days.

It never holds up an answer: rows go into a bounded queue, a thread writes them, and what can't be written is counted
and forgotten.
"""

from __future__ import annotations

import json
import queue
import sqlite3
import threading
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from .request import log

MOST_WAITING = 10_000
"""Requests that wait to be written; more than these are dropped."""

SECONDS = 1.0
WAIT_SECONDS = 5.0
AT_ONCE = 1_000
TIDY_SECONDS = 60.0
TOLD_SECONDS = 60.0
TABLE = """
create table if not exists predictions (
    at real not null, request_id text not null, row integer not null, version text not null, role text not null,
    record text not null, answer text, flags text, milliseconds real not null
)
"""
SETTINGS = "create table if not exists settings (name text primary key, value text not null)"
"""What a reader has to know: the `share` of the requests that is kept, and the columns that are left out."""

_INSERT = "insert into predictions values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ENCODE = json.JSONEncoder(default=str).encode


class Row(NamedTuple):
    """A request that was answered: when (seconds since 1970), by which version and in which role, and what."""

    at: float
    request_id: str
    version: str
    role: str
    records: Sequence[Any]
    predictions: Sequence[Any]
    faults: Sequence[Any]
    seconds: float


class Recorder:
    """Writes answered rows to `path`: a `share` of the requests, without the columns `without`.

    Rows older than `days`, and the oldest beyond `rows`, are deleted. Several processes may write to one file.
    Raises OSError where the file can't be opened, unless it is `again` by a service that has had it open.
    """

    def __init__(
        self,
        path: Path,
        *,
        share: float = 1.0,
        days: float = 30.0,
        rows: int = 1_000_000,
        without: Sequence[str] = (),
        again: bool = False,
    ) -> None:
        self._path = path
        self._share = share * 2**32
        self._days = days
        self._rows = rows
        self._without = frozenset(without)
        self._waiting: queue.Queue[Row | None] = queue.Queue(MOST_WAITING)
        self._counted: Counter[str] = Counter(written=0, dropped=0, failed=0)
        self._told = 0.0
        self._tidied = 0.0
        try:
            self._state(self._open(), share)
        except OSError as error:
            if not again:
                raise
            self._tell(error)
        self._thread = threading.Thread(target=self._write, name="prediction log", daemon=True)
        self._thread.start()

    def _state(self, connection: sqlite3.Connection, share: float) -> None:
        """Write what a reader has to know, where it does not stand there. Raises OSError."""
        told = [("share", json.dumps(share)), ("without", json.dumps(sorted(self._without)))]
        try:
            if sorted(connection.execute("select name, value from settings")) != told:
                connection.executemany("insert or replace into settings values (?, ?)", told)
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        finally:
            connection.close()

    def put(self, row: Row) -> None:
        """Take a request for the log, if it is in the sample and there is room."""
        if zlib.crc32(row.request_id.encode()) >= self._share:
            return
        try:
            self._waiting.put_nowait(row)
        except queue.Full:
            self._counted["dropped"] += len(row.records)

    def counted(self) -> dict[str, int]:
        """Rows by what became of them: written, dropped (the queue was full), failed (the file was not writable)."""
        return dict(self._counted)

    def close(self) -> None:
        """Write what waits, for some seconds at most."""
        try:
            self._waiting.put(None, timeout=SECONDS)
        except queue.Full:
            return
        self._thread.join(5.0)

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._path, timeout=WAIT_SECONDS, isolation_level=None)
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            connection.execute(TABLE)
            connection.execute(SETTINGS)
            connection.execute("create index if not exists predictions_at on predictions (at)")
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return connection

    def _unusable(self, error: sqlite3.Error) -> OSError:
        return OSError(f"{self._path} cannot be used as a prediction log: {error}")

    def _write(self) -> None:
        is_open = True
        connection: sqlite3.Connection | None = None
        while is_open:
            rows = self._taken()
            is_open = rows[-1] is not None
            made = [line for row in rows if row is not None for line in self._lines(row)]
            try:
                connection = connection or self._open()
                _insert(connection, made)
                self._counted["written"] += len(made)
                self._tidy(connection)
            except (sqlite3.Error, OSError) as error:
                self._counted["failed"] += len(made)
                self._tell(error)
                if connection is not None:
                    connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _taken(self) -> list[Row | None]:
        """The next requests, of one second at most; the last is None where the log is closed."""
        rows = [self._waiting.get()]
        until = time.monotonic() + SECONDS
        while rows[-1] is not None and len(rows) < AT_ONCE:
            try:
                rows.append(self._waiting.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
        return rows

    def _lines(self, row: Row) -> list[tuple[Any, ...]]:
        flags: dict[int, list[Any]] = {}
        for fault in row.faults:
            told = asdict(fault)
            if fault.field in self._without:
                del told["message"]  # which shows the value
            flags.setdefault(fault.row, []).append(told)
        milliseconds = round(1000 * row.seconds, 3)
        return [
            (
                row.at,
                row.request_id,
                at,
                row.version,
                row.role,
                _ENCODE({name: value for name, value in record.items() if name not in self._without}),
                _ENCODE(answer),
                _ENCODE(flags[at]) if at in flags else None,
                milliseconds,
            )
            for at, (record, answer) in enumerate(zip(row.records, row.predictions))
        ]

    def _tidy(self, connection: sqlite3.Connection) -> None:
        if time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        connection.execute("delete from predictions where at < ?", (time.time() - 86400 * self._days,))
        newest = "select rowid from predictions order by rowid desc limit 1 offset ?"
        connection.execute(f"delete from predictions where rowid <= ({newest})", (self._rows,))

    def _tell(self, error: Exception) -> None:
        """Say that the log can't be written, once a minute."""
        if time.monotonic() - self._told < TOLD_SECONDS and self._told:
            return
        self._told = time.monotonic()
        log(event="prediction log", file=str(self._path), error=str(error), **self._counted)


def _insert(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    connection.execute("begin immediate")  # which waits for another process that writes; a lock taken later does not
    try:
        connection.executemany(_INSERT, rows)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
