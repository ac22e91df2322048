"""A run's record on its way to the store of runs; where a server does not answer, it waits in the project."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from nbprod import tracking
from nbprod.errors import NbprodError
from nbprod.tracking import spool

UNSENT = ".nbprod/unsent"

Say = Callable[[str, str], None]


class Place(Struct, frozen=True):
    """Where the record of a run goes: the store and its experiment, and the project in which it waits otherwise."""

    root: Path
    uri: str
    experiment: str

    @property
    def unsent(self) -> Path:
        return self.root / UNSENT

    @property
    def is_server(self) -> bool:
        """Whether others keep the store: a server may be away, where a file of the project's is broken."""
        return tracking.database_path(self.uri) is None


def begun(record: tracking.RunRecord, place: Place, say: Say) -> str:
    """Begin a run in the store; gives the run's id.

    Where the server can't be reached, the run has an id all the same, and its record goes there when it has ended.
    Raises NbprodError for a store that is reached and refuses.
    """
    fault = tracking.unreachable(place.uri)
    if fault is None:
        try:
            return tracking.begin_run(record, uri=place.uri, experiment=place.experiment)
        except NbprodError:
            fault = tracking.unreachable(place.uri)
            if fault is None:
                raise
    say("track", f"the tracking server does not answer ({fault}): the run is kept here until nbprod sync")
    return uuid4().hex


def log_model_ahead(record: tracking.RunRecord, place: Place, run_id: str) -> None:
    """Log the model of a run that goes on, into a store of the project's own; a server may take its time.

    What is refused now is asked for once more, and told, when the run has ended.
    """
    if not place.is_server:
        with suppress(NbprodError):
            tracking.log_model_of(record, run_id, uri=place.uri)


def recorded(record: tracking.RunRecord, place: Place, run_id: str, *, register: bool, say: Say) -> bool:
    """Log a run that has ended and register its model; gives False where it waits for `nbprod sync` instead."""
    if not place.is_server:
        send(record, place, run_id, register=register)
        return True
    fault = tracking.unreachable(place.uri)
    if fault is None:
        try:
            send(record, place, run_id, register=register)
            return True
        except NbprodError as error:
            # Whatever a server refuses: what the run gave is not lost for it.
            fault = error.message
    spool.keep(place.unsent, run_id, record, experiment=place.experiment, register=register)
    say("track", f"the run is not in the tracking server yet ({fault}): nbprod sync sends it")
    return False


def failed(record: tracking.RunRecord, place: Place, run_id: str, error: str, say: Say) -> bool:
    """Log a run that an error ended, as `recorded` does."""
    return recorded(tracking.failed_record(record, error), place, run_id, register=False, say=say)


def send(record: tracking.RunRecord, place: Place, run_id: str, *, register: bool) -> tracking.RegisteredVersion | None:
    """Put a run into the store; as often as it takes, there is one run of it and one registered version."""
    tracking.log_run(record, uri=place.uri, experiment=place.experiment, run_id=run_id)
    return tracking.register(run_id, record.name, uri=place.uri) if register else None
