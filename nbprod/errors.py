"""The one exception that nbprod raises for what a person can mend."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Where(Struct, frozen=True):
    """A place that a person can go to: a file, and in it a code cell and a line.

    `cell` counts code cells from 0, as in the JSON interface; `line` counts from 1 within the cell,
    or within the file where there is no cell.
    """

    path: str
    cell: int | None = None
    cell_id: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        text = self.path
        if self.cell is not None:
            text += f", cell {self.cell}"
            if self.cell_id:
                text += f" (id {self.cell_id})"
        if self.line is not None:
            text += f", line {self.line}"
        return text


class NbprodError(Exception):
    """Something that a person can mend: what happened, where, and what to do next.

    `code` is a stable word such as `unknown-role`; it is shown as `error[unknown-role]`.
    """

    def __init__(
        self, message: str, *, code: str = "error", where: Where | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.where = where
        self.hint = hint

    def as_json(self) -> dict[str, object]:
        """The error as part of a result: code, message, where (path, cell, cell_id, line) and hint."""
        where = self.where
        place = where and {"path": where.path, "cell": where.cell, "cell_id": where.cell_id, "line": where.line}
        return {"code": self.code, "message": self.message, "where": place, "hint": self.hint}

    def __str__(self) -> str:
        lines = [f"error[{self.code}]: {self.message}"]
        if self.where is not None:
            lines.append(f"  --> {self.where}")
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


def from_json(told: Mapping[str, Any]) -> NbprodError:
    """The error that `as_json` told of."""
    where = told["where"] and Where(**told["where"])
    return NbprodError(told["message"], code=told["code"], where=where, hint=told["hint"])


NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def from_system(error: OSError, path: str | None = None) -> NbprodError:
    """What the operating system refused, at the file that it names or else at `path`."""
    at = str(error.filename or path or "")
    where = Where(at) if at else None
    if error.errno in NO_SPACE:
        return NbprodError(
            "no space left on the disk",
            code="no-space",
            where=where,
            hint="make room and run it again; versions and runs that were there before are whole",
        )
    if error.errno == errno.EROFS:
        return NbprodError(
            "the folder is read-only", code="read-only", where=where, hint="make it writable, or work in a copy of it"
        )
    return NbprodError((error.strerror or str(error)).lower(), code="system", where=where)
