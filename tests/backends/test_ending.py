"""Kernels that were asked to end are awaited, and made to end where they do not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nbprod.backends import ending
from nbprod.backends.ending import Ending

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


@pytest.mark.skipif(sys.platform == "win32", reason="processes end by signals")
@pytest.mark.parametrize(
    "code, status",
    [
        pytest.param("print(flush=True)", 0, id="one that ends by itself"),
        pytest.param("print(flush=True); import time; time.sleep(600)", -15, id="one that goes on"),
        pytest.param(f"{DEAF}print(flush=True); import time; time.sleep(600)", -9, id="one that does not listen"),
    ],
)
def test_is_awaited(code: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "PATIENCE", 0.5)
    with Ending() as awaited:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        awaited.await_later(process)
    assert process.returncode == status
    process.stdout.close()
