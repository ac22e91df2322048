"""What a fitted model becomes: the text that answers for one row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Model:
    """The text of a model: functions, constants and tables that it needs, and the expression of its answer.

    `fields` are the names of the features in it, `compared` the places of those that trees compare often. `exact` says
    whether answers are equal to the bit. `scores` names what the answer is made of, and `chances` is the expression of
    the classes' probabilities from them, where there is one. `tolerance` is the share of a number, or of the whole of
    probabilities, by which it may be off where the library computes in 32 bits.
    """

    answer: str = ""
    scores: str = ""
    chances: str = ""
    fields: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    tables: list[Any] = field(default_factory=list)
    compared: set[int] = field(default_factory=set)
    exact: bool = True
    tolerance: float = 0.0

    def give_chances(self, scores: list[str], function: str | None) -> None:
        """Probabilities by a function of rows.py over the scores; none where there is no such function."""
        if function is not None:
            self.scores = ", ".join(scores) if len(scores) == 1 else f"{', '.join(scores)},"
            self.chances = f"{function}(z)" if len(scores) == 1 else f"{function}(({', '.join(scores)}))"


class UncompiledError(Exception):
    """A model that is asked as it is, and why."""
