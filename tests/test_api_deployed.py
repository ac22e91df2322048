"""What is deployed of a package, wherever in the project it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbprod.api.deployed import DEEPEST, deployed, elsewhere
from nbprod.deploy.records import RECORD, Record, record_bytes

DEEP = "/".join(["a"] * DEEPEST)


def project(root: Path, records: dict[str, str]) -> Path:
    """A project with these folders, whose records are of `package target`, or damaged where they are no two words."""
    for folder, text in records.items():
        (root / folder).mkdir(parents=True)
        words = text.split()
        content = record_bytes(Record(*words)) if len(words) == 2 else text.encode()
        (root / folder / RECORD).write_bytes(content)
    return root


@pytest.mark.parametrize(
    "records, found, others",
    [
        pytest.param({}, {}, {}, id="nothing"),
        pytest.param({"deploy/sales/docker": "sales docker"}, {"deploy/sales/docker": "docker"}, {}, id="as usual"),
        pytest.param({"ops": "sales docker"}, {"ops": "docker"}, {"docker": "ops"}, id="elsewhere"),
        pytest.param({DEEP: "sales docker"}, {DEEP: "docker"}, {"docker": DEEP}, id="deep"),
        pytest.param({".ops": "sales docker", f"{DEEP}/a": "sales docker"}, {}, {}, id="hidden, and too deep"),
        pytest.param({"ops": "other docker"}, {}, {}, id="of another package"),
        pytest.param({"ops": "{"}, {"ops": "damaged-record"}, {}, id="damaged"),
        pytest.param(
            {"a": "sales docker", "deploy/sales/docker": "sales docker", "b": "sales kserve", "c": "sales kserve"},
            {"a": "docker", "b": "kserve", "c": "kserve", "deploy/sales/docker": "docker"},
            {"kserve": "b"},
            id="in several places",
        ),
    ],
)
def test_deployments_are_found_by_their_records(
    records: dict[str, str], found: dict[str, str], others: dict[str, str], tmp_path: Path
) -> None:
    root = project(tmp_path, records)

    told = {
        each.folder: each.record.target if each.record is not None else getattr(each.error, "code", "")
        for each in deployed(root, "sales")
    }
    assert told == found
    assert elsewhere(root, "sales") == others
