"""What a check of the checklist is: a question, why it is asked, and how what is known answers it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from nbprod.model.readiness import Told
from nbprod.readiness.facts import Facts

Judge = Callable[[Facts], Told]


class Check(Struct, frozen=True):
    """One item. `title` is what holds where the item is met, `why` two sentences, `source` where they come from.

    `step` is the next step in words. `tests` are the tests of the ML Test Score that it stands for. Nothing goes to
    production while a `blocking` item is contradicted. `optional` ones can be declared not applicable, with a reason.
    `keys` are what can be declared of it in the configuration, and `is_promise` says that no machine can prove it.
    `gathered` says that its evidence takes time: `nbprod readiness --gather` makes it.
    """

    id: str
    title: str
    why: str
    source: str
    step: str
    judge: Judge
    tests: tuple[str, ...] = ()
    blocking: bool = False
    optional: bool = False
    keys: tuple[str, ...] = ()
    is_promise: bool = False
    gathered: bool = False
