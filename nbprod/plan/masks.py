"""Which statements the extracted code needs, and for what."""

from __future__ import annotations

from msgspec import Struct


class Masks(Struct, frozen=True):
    """Which statements are needed: always (`serve`), with labels (`label`), in training (`fit`).

    `given` are those that made the raw frame, which is handed in.
    """

    serve: int
    label: int
    fit: int
    given: int = 0

    @property
    def all(self) -> int:
        return self.serve | self.label | self.fit

    def never_made(self, bits: int) -> bool:
        """Whether something made by these statements is missing from the extracted code."""
        return bool(bits & ~(self.all | self.given))
