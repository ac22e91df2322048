"""Questions about all rows, asked by what runs on a part of them, and answered as far as the parts have told."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import joblib

from .partials import MERGES, PARTIALS, Known, Partials


class Refused(BaseException):
    """What cannot be learned from parts; a BaseException, so that a notebook's own `except` does not take it."""


class Asked(BaseException):
    """The first thing that is not known: what was asked, the partial result, and a digest of what it was asked of."""

    def __init__(self, kind: str, options: Any, partial: Any, digest: str) -> None:
        self.kind, self.options, self.partial, self.digest = kind, options, partial, digest


class Asking:
    """Answers the questions of one computation in their order, as far as they are known."""

    def __init__(self, known: Sequence[Known]) -> None:
        self._known, self._at, self._busy = known, 0, False

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
        if known is not None and known.here and own is not None:
            return own()
        if known is not None and known.again is None:
            return known.answer
        options = options if known is None else known.again
        raise Asked(kind, options, PARTIALS[kind](frame, options), joblib.hash(frame))


def merged(kind: str, options: Any, partials: Partials, digests: Sequence[str]) -> Known:
    """What is known once all parts have been asked. Raises Refused."""
    if len(set(digests)) == 1 and len(digests) > 1:
        return Known(kind, here=True)
    made = MERGES[kind](options, partials)
    return made if isinstance(made, Known) else Known(kind, made)


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
