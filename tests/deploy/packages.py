"""Fitted packages without a run, as far as deployment reads them."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from nbprod.versions import publish, put_state

MANIFEST = {
    "features": [{"name": "age", "digest": "d", "steps": []}],
    "inputs": ["age", "name"],
    "target": "left",
    "model": {"estimator": "sklearn.linear_model.LogisticRegression", "name": "model"},
    "files": {},
}


LOCK = "pandas==3.0.6\n"


def package(
    root: Path,
    name: str = "sales",
    *,
    versions: int = 1,
    output: str = "pipelines",
    lock: str = LOCK,
    support: str = "runtime/__init__.py",
) -> Path:
    """A project with so many fitted versions of a package, whose notebook is not here."""
    texts = {"requirements.lock": lock.encode(), support: b""}
    listed = {path: hashlib.sha256(text).hexdigest() for path, text in texts.items()}
    root.mkdir(parents=True, exist_ok=True)
    (root / ".git").mkdir(exist_ok=True)
    for number in range(1, versions + 1):
        now = datetime(2026, 1, number, tzinfo=UTC)
        files = {
            **texts,
            "manifest.json": json.dumps(MANIFEST | {"digest": str(number), "files": listed}).encode(),
        }
        publish(
            root / output, name, files, {"__init__.py": b""}, digest=f"digest-{number}", notebook=f"{name}.ipynb",
            commit=None, why=f"reason {number}", now=now,
        )  # fmt: skip
        learned = root / f".state-{number}"
        learned.mkdir()
        (learned / "fitted.json").write_text(json.dumps({"python": "3.12.4", "number": number}))
        (learned / "learned.json").write_text(json.dumps({"age": number}))
        put_state(root / output, name, number, learned, run_id=f"run-{number}", now=now)
    return root
