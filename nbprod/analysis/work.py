"""A bound on the work of one analysis: what costs much is looked at less closely, so that any notebook ends soon."""

from __future__ import annotations

OF_NOTEBOOK = 60_000
OF_STATEMENT = 5_000
OF_NUMBERED_LOOP = 1_000
OF_IDLE_LOOP = 100
MOST = 1_000_000


class WorkLimitError(Exception):
    """The code itself is too large to be gone through once."""


class Work:
    """Evaluated expressions, in all and for the top-level statement at hand.

    Behind `OF_STATEMENT` expressions of one statement, or `OF_NOTEBOOK` of all, the analysis is coarse: loops are gone
    through once more and no further, calls into the notebook's functions are no longer followed. What is left is
    in proportion to the length of the code; behind `MOST` it ends (`WorkLimitError`).
    """

    __slots__ = ("_statement", "done")

    def __init__(self) -> None:
        self.done = 0
        self._statement = 0

    def copy(self) -> Work:
        """The same bound, with as much work done."""
        other = Work()
        other.done = self.done
        return other

    def begin(self) -> None:
        """A top-level statement starts."""
        self._statement = self.done

    @property
    def is_coarse(self) -> bool:
        """Whether the statement, or the notebook, has cost so much that the rest is looked at less closely."""
        return self.done - self._statement > OF_STATEMENT or self.done > OF_NOTEBOOK

    @property
    def is_spent(self) -> bool:
        """Whether the notebook as a whole was too much work."""
        return self.done > OF_NOTEBOOK
