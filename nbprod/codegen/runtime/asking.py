"""Questions about all rows, asked by what runs on a part of them, and answered as far as the parts have told."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import joblib

from .partials import MERGES, PARTIALS, Known, Partials


class Refused(BaseException):
    """What cannot be learned from parts; a BaseException, so that a notebook's own `except` does not take it."""


def is_short(dtype: Any) -> bool:
    """Whether decimals of this dtype have fewer bits than partial results."""
    return bool(dtype.kind == "f" and dtype.itemsize < 8)


def hold_to_doubles(data: Any) -> None:
    """Raise Refused where pandas or scikit-learn adds up in fewer bits than the partial results have."""
    if any(map(is_short, data.dtypes if data.ndim > 1 else [data.dtype])):
        raise Refused("decimals of less than 64 bits are added up")


class Asked(BaseException):
    """The first thing that is not known: what was asked, and of which frame.

    `rows` are all rows and columns that the answer hangs on, as a DataFrame.
    """

    def __init__(self, kind: str, options: Any, frame: Any) -> None:
        self.kind, self.options, self.frame = kind, options, frame

    @property
    def rows(self) -> Any:
        return getattr(self.frame, "asked_of", self.frame)

    def partial(self) -> Any:
        """The partial result of these rows."""
        return PARTIALS[self.kind](self.frame, self.options)

    def digest(self) -> str:
        """What tells the rows from others, by their labels as well."""
        return canonical(self.rows)


class Asking:
    """Answers the questions of one computation in their order, as far as they are known.

    `in_order` says of the last answer whether values stand in it in the order in which they first appear in all rows.
    """

    def __init__(self, known: Sequence[Known]) -> None:
        self._known, self._at, self._busy = known, 0, False
        self.in_order = True

    def instead_of(self, plain: Any, made: Callable[..., Any]) -> Callable[..., Any]:
        """`made`, within which `plain` is what it was: a partial result is made by pandas' own means."""

        @functools.wraps(plain)
        def method(*words: Any, **options: Any) -> Any:
            if self._busy:
                return plain(*words, **options)
            self._busy = True
            try:
                return made(*words, **options)
            finally:
                self._busy = False

        return method

    def __call__(self, kind: str, frame: Any, options: Any = None, own: Callable[[], Any] | None = None) -> Any:
        """The answer of all rows to a question about the rows of `frame`; `own` computes it where it is not of them."""
        at, self._at = self._at, self._at + 1
        known = self._known[at] if at < len(self._known) else None
        if known is not None and known.kind != kind:
            raise Refused(f"it asks for {known.kind} on some parts of the rows and for {kind} on others")
        self.in_order = known is None or known.in_order
        if known is not None and known.here and own is not None:
            return own()
        if known is not None and known.again is None:
            return known.answer
        raise Asked(kind, options if known is None else known.again, frame)

    def hold_to_order(self, what: str) -> None:
        """Raise Refused where the last answer does not tell in which order values first appear in all rows."""
        if not self.in_order:
            raise Refused(f"{what} hangs on the order of rows that are drawn or sorted")


def merged(kind: str, options: Any, partials: Partials, digests: Sequence[str], *, in_order: bool = True) -> Known:
    """What is known once all parts have been asked. Raises Refused."""
    if len(set(digests)) == 1 and len(digests) > 1:
        return Known(kind, here=True)
    made = MERGES[kind](options, partials)
    return replace(made if isinstance(made, Known) else Known(kind, made), in_order=in_order)


@contextmanager
def standing_in(owner: Any, names: Mapping[str, Any]) -> Iterator[None]:
    """Within, a class or module has these in the place of what it has by these names, for all of the process."""
    own = {name: value for name, value in vars(owner).items() if name in names}
    try:
        for name, value in names.items():
            setattr(owner, name, value)
        yield
    finally:
        for name in names:
            if name in own:
                setattr(owner, name, own[name])
            else:
                delattr(owner, name)


def canonical(value: Any) -> str:
    """A value as one that can be held against others, by its content."""
    return str(joblib.hash(value))
