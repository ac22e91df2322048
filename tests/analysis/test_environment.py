"""Which pandas runs a notebook, read from its kernel's files."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from nbprod.analysis.environment import kernel_python, pandas_major

OWN = int(metadata.version("pandas").partition(".")[0])


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Jupyter folder with a kernel `old` whose environment has pandas 1.5.3."""
    python = tmp_path / "env/bin/python"
    (tmp_path / "env/lib/python3.9/site-packages/pandas-1.5.3.dist-info").mkdir(parents=True)
    folder = tmp_path / "jupyter/kernels"
    for name, argv in {"old": [str(python)], "bare": ["python"], "broken": None}.items():
        (folder / name).mkdir(parents=True)
        text = "{" if argv is None else json.dumps({"argv": [*argv, "-m", "ipykernel_launcher"]})
        (folder / name / "kernel.json").write_text(text)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    pandas_major.cache_clear()
    return folder


@pytest.mark.parametrize(
    "kernel, major",
    [
        pytest.param("old", 1, id="the kernel's own"),
        pytest.param("bare", OWN, id="a kernel without a path is this environment"),
        pytest.param("broken", OWN, id="a damaged kernel.json"),
        pytest.param("nowhere", OWN, id="no such kernel"),
        pytest.param(None, OWN, id="no kernel named"),
    ],
)
@pytest.mark.usefixtures("kernels")
def test_pandas_major(kernel: str | None, major: int) -> None:
    assert pandas_major(kernel) == major


def test_kernel_python(kernels: Path) -> None:
    assert kernel_python("old") == kernels.parent.parent / "env/bin/python"
