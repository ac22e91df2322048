"""From a keystroke in JupyterLab to the mark in the editor, in a notebook of 500 cells that is shown in a real browser.

    python benchmarks/keystroke.py [--cells N] [--edits N] [--windowing MODE]

A name that is not defined is typed into a cell in the middle that makes a feature, and taken back, again and again,
with the sidebar open. Measured in the page is the time from the key's event until the underline is in the document; of
it, the wait of the setting `delay` (a person who types on is left alone), and what the server takes for its answer,
from the request to the first byte. Printed are milliseconds: the aim is 500, and 60 of them the server's. The front end
is the one that is installed; NBPROD_LABEXTENSION names the folder of another build.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from study import document, made_up, table

TOKEN = "benchmark"
DELAY = 150
"""Milliseconds that the setting `delay` waits by default."""
SETTLED = 1500
"""Milliseconds between two edits."""
PARTS = ("until the question", "the server", "until the mark")
WATCH = """
() => {
  const seen = (window.nbprodSeen = {});
  const look = () => {
    const isMarked = document.querySelector('.jp-Notebook .jp-mod-active .nbprod-Underline') !== null;
    if (seen.key !== undefined && seen.shown === undefined && isMarked) {
      seen.shown = performance.now();
    }
  };
  document.addEventListener('keydown', () => { seen.key = performance.now(); seen.shown = undefined; }, true);
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}
"""
IS_CALM = """
() => {
  const seen = (window.nbprodCalm ??= { since: performance.now() });
  seen.observer ??= new PerformanceObserver(() => { seen.since = performance.now(); });
  seen.observer.observe({ type: 'longtask' });
  return performance.now() - seen.since > 4000;
}
"""
"""Whether JupyterLab, which goes on making editors of cells out of sight after it has opened a notebook, is done."""
TIMES = """
() => {
  const { key, shown } = window.nbprodSeen;
  const asked = performance.getEntriesByType('resource')
    .filter(entry => entry.name.includes('/nbprod/api/v1/study') && entry.startTime > key && entry.responseEnd < shown);
  const last = asked.at(-1);
  const parts = last && [last.requestStart - key, last.responseStart - last.requestStart, shown - last.responseStart];
  return [shown - key, parts ?? null];
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--edits", type=int, default=10, help="how often the mark comes")
    parser.add_argument("--windowing", default="contentVisibility", help="JupyterLab's windowingMode: full, none…")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "root")
        root.mkdir()
        Path(root, "large.ipynb").write_bytes(document(made_up(arguments.cells)))
        Path(root, "rows.csv").write_text(table(), encoding="utf-8")
        with jupyterlab(Path(scratch), root, arguments.windowing) as url, browser() as page:
            show_editing(page, f"{url}/lab/tree/large.ipynb?token={TOKEN}&reset")
            in_all, parts = measured(page, arguments.edits)
    print(f"{arguments.cells} cells, windowing {arguments.windowing}, {os.cpu_count()} cores; {DELAY} ms are waited")
    print(f"from the key to the mark: {line(in_all)}")
    for name, values in zip(PARTS, zip(*parts, strict=True), strict=False):
        print(f"  {name}: {line(values)}")


def line(values: Sequence[float]) -> str:
    """Median and worst."""
    return f"median {statistics.median(values):.0f} ms, worst {max(values):.0f}" if values else "not seen"


def show_editing(page: Page, address: str) -> None:
    """Open the notebook with the sidebar, and put the cursor on a new line of a cell in the middle."""
    page.goto(address)
    page.get_by_role("tab", name="Production Pipeline").click(timeout=120_000)
    rows = page.get_by_role("list", name="Code cells").get_by_role("listitem")
    rows.first.wait_for(timeout=120_000)
    page.locator("#nbprod-sidebar").get_by_text("Not exported yet").wait_for(timeout=120_000)
    sources = rows.locator("code").all_inner_texts()
    middle = next(at for at, text in enumerate(sources) if at > len(sources) // 2 and "np.log1p" in text)
    rows.nth(middle).get_by_role("button", name="Go to cell").click()
    page.locator(".jp-Notebook .jp-mod-active .cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.evaluate(WATCH)
    page.wait_for_function(IS_CALM, timeout=300_000)


def measured(page: Page, edits: int) -> tuple[list[float], list[list[float]]]:
    """Milliseconds of each edit but the first: until the mark is there, and those of the parts of the way."""
    in_all, parts = [], []
    for number in range(edits + 1):
        page.evaluate("() => performance.clearResourceTimings()")
        page.keyboard.press("q")
        page.wait_for_function("() => window.nbprodSeen.shown !== undefined", timeout=60_000)
        whole, answered = page.evaluate(TIMES)
        if number > 0:
            in_all.append(whole)
            parts += [] if answered is None else [answered]
        page.wait_for_timeout(SETTLED)
        page.keyboard.press("Backspace")
        page.wait_for_timeout(SETTLED)
    return in_all, parts


@contextmanager
def browser() -> Iterator[Page]:
    """A page of Chromium."""
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield running.new_context(viewport={"width": 1500, "height": 950}).new_page()
        running.close()


@contextmanager
def jupyterlab(folder: Path, root: Path, windowing: str) -> Iterator[str]:
    """JupyterLab with settings of its own, once it answers."""
    settings = folder / "settings" / "@jupyterlab"
    for name, values in (
        ("notebook-extension/tracker", {"windowingMode": windowing}),
        ("apputils-extension/notification", {"fetchNews": "false", "checkForUpdates": False}),
    ):
        place = settings / f"{name}.jupyterlab-settings"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(values), encoding="utf-8")
    if build := os.environ.get("NBPROD_LABEXTENSION"):
        (folder / "build" / "labextensions").mkdir(parents=True)
        (folder / "build" / "labextensions" / "nbprod").symlink_to(Path(build).resolve(), target_is_directory=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "XDG_"))}
    environment = kept | {
        "HOME": str(folder),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "JUPYTER_PATH": str(folder / "build"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
            *(f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
            f"--ServerApp.root_dir={root}",
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield when_up(process, f"http://127.0.0.1:{port}")
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def when_up(process: subprocess.Popen[bytes], url: str) -> str:
    """The address, once it answers."""
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/api", timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.3)
        else:
            return url
    sys.exit("JupyterLab did not answer")


if __name__ == "__main__":
    main()
