"""What a check that takes time stands on: the package that is looked at, and how what was seen becomes evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

import nbprod
from nbprod import versions
from nbprod.api.evidence import seen
from nbprod.api.packages import Target, training_folder
from nbprod.api.proving import LastRun, fitted_in
from nbprod.api.raw_columns import raw_columns
from nbprod.api.scripts import answered
from nbprod.api.serving import Fitted, fitted_version
from nbprod.model.readiness import Evidence
from nbprod.model.run import Version
from nbprod.readiness.facts import Facts

ROWS = Path(nbprod.__file__).parent / "api" / "answer_times.py"

BATCH = 200
"""Records at most of a batch, where a package serves batches."""

PACKAGE = ("nbprod", "the package", "the learned state")
"""The inputs of all evidence about a fitted version."""

Tell = Callable[[str], None]


class UntriedError(Exception):
    """A check can't be made, and why."""


class Ground:
    """A notebook's newest fitted version, and what is known of it. `tell` says what is being done."""

    def __init__(self, target: Target, path: str, facts: Facts, tell: Tell) -> None:
        self.target = target
        self.path = path
        self.facts = facts
        self.tell = tell

    @cached_property
    def version(self) -> Version:
        """The newest fitted version. Raises UntriedError where there is none."""
        if self.facts.fitted is None:
            raise UntriedError("no version of the package is fitted")
        return self.facts.fitted

    @cached_property
    def fitted(self) -> Fitted:
        """It with its interpreter, meant by its number."""
        return fitted_version(f"{self.target.name}@{self.version.number}", output=str(self.target.root))

    @property
    def folder(self) -> Path:
        """The folder of the version."""
        return versions.version_folder(self.target.root, self.target.name, self.version.number)

    @property
    def words(self) -> list[str]:
        """What scripts in the package's environment are told of it: root, name, number."""
        return [self.fitted.root, self.target.name, str(self.version.number)]

    @cached_property
    def last(self) -> LastRun | None:
        """The captures of the run that it was fitted in, None where they are not here."""
        return fitted_in(self.target, self.version)

    @cached_property
    def captures(self) -> Path:
        """Their folder. Raises UntriedError where they are not here."""
        if self.last is None:
            raise UntriedError(f"what the run of version {self.version.number} captured is not on this machine")
        return self.last.captures.resolve()

    @cached_property
    def serves_batches(self) -> bool:
        """Whether the package serves whole batches, and no row alone."""
        return (versions.read_manifest(self.folder) or {}).get("serves") == "batch"

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """Up to 500 rows to ask it with: of its run, else golden ones, else its example."""
        captures = "" if self.last is None else str(self.last.captures.resolve())
        told = answered([self.fitted.python, str(ROWS), *self.words, captures, "0"])
        if "reason" in told:
            raise UntriedError(f"there are no rows to ask with: {told['reason']}")
        bodies = [json.loads(body) for body in told["bodies"]]
        return bodies[0]["records"] if self.serves_batches else bodies

    @cached_property
    def columns(self) -> dict[str, Mapping[str, Any]]:
        """What is observed of the columns that a record needs, by name."""
        contract = versions.read_object(self.folder / "contract.json") or {}
        needed = {each["name"] for each in contract.get("columns", ()) if each.get("required")}
        schema = versions.read_object(self.folder / "state" / "schema.json") or {}
        return {name: each for name, each in raw_columns(contract, schema).items() if name in needed}

    @property
    def record(self) -> dict[str, Any]:
        """The record that is asked about where there is one alone; of a batch the last, behind all the others."""
        return self.records[-1 if self.serves_batches else 0]

    def request(self, record: Mapping[str, Any]) -> Any:
        """What asks a service about a record: itself, or a batch of which it is the last."""
        return {"records": [*self.records[-BATCH:-1], record]} if self.serves_batches else record

    def asked(self, script: Path, *words: str, given: Any = None) -> Mapping[str, Any]:
        """What a script of this folder prints in the package's environment. Raises UntriedError with its `reason`."""
        told = answered([self.fitted.python, str(script), *self.words, *words], given)
        if "reason" in told:
            raise UntriedError(str(told["reason"]))
        return told

    def replayed(self, ask: Callable[..., Any], **options: Any) -> Mapping[str, Any]:
        """What a function of the replay tells of the version, on what the run of its fit captured."""
        manifest, captures = versions.read_manifest(self.folder) or {}, self.captures
        assert self.last is not None
        reads_in = training_folder(self.target, manifest)
        version = (self.target.root, self.target.name, self.folder.name)
        told = ask(*version, captures, self.last.python, manifest, reads_in=reads_in, **options)
        if "reason" in told:
            raise UntriedError(told["reason"])
        return dict(told)

    def seen(
        self,
        item: str,
        held: bool | None,
        text: str,
        *names: str,
        contradicts: str | None = None,
        numbers: Mapping[str, Any] | None = None,
    ) -> Evidence:
        """Evidence of an item, with the inputs of a fitted version and the further ones that are named."""
        inputs = {name: self.facts.inputs[name] for name in (*PACKAGE, *names)}
        return seen(item, held, text, inputs, contradicts=contradicts, numbers=numbers)


Run = Callable[[Ground], Iterable[Evidence]]


class Probe(Struct, frozen=True):
    """A check that takes time: the items that it makes evidence of, what it does in words, and how.

    `inputs` are what the evidence rests on besides the fitted version. `alone` says that nothing else may be at work
    beside it, since it measures.
    """

    items: tuple[str, ...]
    says: str
    run: Run
    inputs: tuple[str, ...] = ()
    alone: bool = False
