import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nbprod.model.run import Version
from nbprod.versions import publish

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROOT_FILES = {"__init__.py": b'"""Root."""\n'}


def as_version(text: str = "x = 1\n", **others: bytes) -> dict[str, bytes]:
    """A version as an export makes it: source files and the manifest that lists them."""
    files = {"__init__.py": b"", "features.py": text.encode(), "tests/test_parity.py": b"def test(): ...\n"} | others
    lines = text.splitlines()
    manifest = {
        "digest": "d1",
        "notebook": "nb.ipynb",
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "source_map": {"features.py": [[index + 1, 4, "abcd", index + 10] for index in range(len(lines))]},
        "steps": [{"cell": 4, "cell_id": "abcd", "line": 10 + i, "source": each} for i, each in enumerate(lines)],
    }
    return files | {"manifest.json": json.dumps(manifest, indent=2, sort_keys=True).encode()}


@pytest.fixture
def version_files() -> Callable[..., dict[str, bytes]]:
    return as_version


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Version]:
    def export(text: str = "x = 1\n", root: Path = tmp_path, name: str = "churn", **options: object) -> Version:
        settings = {"digest": "d1", "notebook": "nb.ipynb", "commit": None, "why": "first", "now": NOW} | options
        return publish(root, name, as_version(text), ROOT_FILES, **settings)

    return export


@pytest.fixture
def fitted(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Version]:
    """Give a version learned state, as a run does."""
    from nbprod.versions import put_state

    def fitted(
        number: int,
        learned: str = "{}",
        root: Path = tmp_path,
        run_id: str | None = "r1",
        **options: object,
    ) -> Version:
        folder = tmp_path_factory.mktemp("state")
        (folder / "learned.json").write_text(learned)
        return put_state(root, "churn", number, folder, run_id=run_id, now=NOW, golden=learned.encode(), **options)

    return fitted
