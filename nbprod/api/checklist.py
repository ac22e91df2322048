"""The checklist for production for surfaces that show it, whether or not this nbprod has the check."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from msgspec import to_builtins

from nbprod.errors import NbprodError


def checklist(path: str) -> dict[str, Any]:
    """What `api.readiness` tells of a notebook: `{"items": [{id, title, section, status, evidence, …}]}`.

    Raises NbprodError (`no-readiness`) where there is no such verb.
    """
    from nbprod import api

    known = getattr(api, "readiness", None)
    # Once it is imported, a module of that name stands before the verb.
    verb = getattr(known, "readiness", None) if isinstance(known, ModuleType) else known
    if verb is None:
        raise NbprodError("this nbprod has no readiness check yet", code="no-readiness", hint="see %nbprod check")
    report: dict[str, Any] = to_builtins(verb(path))
    return report
