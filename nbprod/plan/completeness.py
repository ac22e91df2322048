"""Whether the extracted code has all that it reads: what stays behind in the notebook is refused, not left to fail."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from msgspec import Struct

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.values import Event
from nbprod.model.plan import Refusal, Step
from nbprod.notebook.parsed import nodes_below, parsed
from nbprod.plan.liveness import names_bound, names_made, names_served, read_first

ALWAYS = frozenset({*dir(builtins), "__name__", "__file__", "learned", "pd"})


class Known(Struct, frozen=True):
    """What the modules of the package bind: the raw rows, the arguments of training, definitions, imports, idioms.

    `initial` are names that serving only gives a first value.
    """

    rows: str
    arguments: tuple[str, str]
    definitions: Sequence[Step]
    imports: Iterable[tuple[str, str]]
    idioms: Iterable[str]
    initial: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names of the module level."""
        made = {name for step in self.definitions for name in names_made(step.code)}
        return ALWAYS | made | {name for name, _ in self.imports} | set(self.idioms)


def left_behind(
    analysis: Analysis,
    fit: Event,
    known: Known,
    steps: Sequence[Step],
    returned: Sequence[str],
    model_steps: Sequence[Step],
    handed_over: Sequence[str] = (),
) -> Iterator[Refusal]:
    """A refusal for the names that features or training read and that nothing extracted binds."""
    texts = [text for step in steps for text in (step.code, step.otherwise) if text]
    names = known.names
    missing = _missing([*texts, *returned], names | {known.rows})
    missing |= read_first([step.code for step in model_steps], names | {*known.arguments, *handed_over})
    missing |= (names_served(returned[0]) | _of_rounds(steps) & free_names(parsed(returned[0]))) & set(known.initial)
    if missing:
        statement = analysis.program.statements[fit.statement]
        shown = ", ".join(sorted(missing))
        if not missing & names_bound(analysis.program):
            unread = [analysis.program.statements[at].cell for at in analysis.run.open_imports]
            message = f"the extracted code would read {shown}, which no cell binds"
            hint = f"import or make {shown} in a cell above, so that the notebook runs from its first cell to its last"
            if unread:
                message += f" by name; cell {unread[0]} imports what can't be looked into"
                hint = f"import {shown} by name there"
            yield Refusal(statement.cell, fit.node.lineno, "left-behind", message, hint)
            return
        yield Refusal(
            statement.cell,
            fit.node.lineno,
            "left-behind",
            f"the extracted code would read {shown}, and what makes it can't be extracted with it",
            "train on data that is prepared by statements of their own, and hand over what functions need as arguments",
        )


def _of_rounds(steps: Sequence[Step]) -> set[str]:
    """The names that loops go through: what a model is trained on in a round is no preparation of its own."""
    return {name for step in steps for name in _gone_through(step.code)}


@lru_cache(maxsize=2048)
def _gone_through(code: str) -> frozenset[str]:
    loops = [node for node in nodes_below(parsed(code)) if isinstance(node, ast.For)]
    return frozenset(name for loop in loops for name in bound_names(loop.target))


def _missing(texts: Sequence[str], known: frozenset[str]) -> set[str]:
    made = {name for text in texts for name in names_made(text)}
    read = {name for text in texts for name in free_names(parsed(text))}
    return read - made - known
