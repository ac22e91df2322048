"""JupyterLab on a port of its own with folders of its own, and a real browser on it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, sync_playwright

TOKEN = "browser-test"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address and the folder that it shows."""

    url: str
    root: Path

    def open(self, page: Page, notebook: str | None = None) -> Locator:
        """Open JupyterLab, with `notebook` where one is named, and return its nbprod sidebar."""
        place = f"/tree/{notebook}" if notebook else ""
        page.goto(f"{self.url}/lab{place}?token={TOKEN}&reset")
        tab = page.get_by_role("tab", name="Production Pipeline")
        tab.wait_for(timeout=60_000)
        if notebook:
            page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
        tab.click()
        sidebar = page.get_by_role("region", name="Production Pipeline")
        sidebar.wait_for()
        return sidebar

    def store_settings(self, page: Page, values: dict[str, object]) -> None:
        """Store the person's settings of the extension, for pages that are opened from now on."""
        answer = page.request.put(
            f"{self.url}/lab/api/settings/nbprod:plugin?token={TOKEN}", data={"raw": json.dumps(values)}
        )
        assert answer.ok, answer.text()


class Server:
    """JupyterLab, or Notebook, in fresh folders below `folder`; it can be ended and started again."""

    def __init__(self, folder: Path, *, module: str = "jupyterlab", server_extension: bool = True) -> None:
        self._module = module
        self._log = folder / "jupyter.log"
        self._environment = fresh_environment(folder, server_extension=server_extension)
        self._port = free_port()
        self.lab = Lab(f"http://127.0.0.1:{self._port}", folder / "root")
        self.lab.root.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        """Start it, and return when it answers."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", self._module, "--no-browser", "--allow-root", "--ip=127.0.0.1"),
                    *(f"--port={self._port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
                    f"--ServerApp.root_dir={self.lab.root}",
                ],
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until_up(self.lab, self._process, self._log)

    def end(self) -> None:
        """End it with its kernels."""
        end_group(self._process)


@contextmanager
def running_lab(folder: Path, *, server_extension: bool = True) -> Iterator[Lab]:
    """JupyterLab in fresh folders below `folder`."""
    server = Server(folder, server_extension=server_extension)
    try:
        yield server.lab
    finally:
        server.end()


def fresh_environment(folder: Path, *, server_extension: bool) -> dict[str, str]:
    """Environment variables that keep the person's own Jupyter folders out of the test."""
    home = folder / "home"
    config = folder / "config"
    (config / "labconfig").mkdir(parents=True)
    home.mkdir()
    if build := os.environ.get("NBPROD_LABEXTENSION"):  # A build of the front end that is not the installed one.
        (folder / "build" / "labextensions").mkdir(parents=True)
        (folder / "build" / "labextensions" / "nbprod").symlink_to(Path(build).resolve(), target_is_directory=True)
    (config / "labconfig" / "page_config.json").write_text(
        json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}})
    )
    (config / "jupyter_server_config.json").write_text(
        json.dumps({"ServerApp": {"jpserver_extensions": {"nbprod": server_extension}}})
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "XDG_"))}
    return {
        **kept,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_PATH": str(folder / "build"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(config / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(config / "workspaces"),
    }


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(lab: Lab, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server answers; fail with its log when it ends or takes a minute."""
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{lab.url}/api", timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.25)
        else:
            return
    pytest.fail(f"JupyterLab did not come up:\n{log.read_text()[-3000:]}")


def end_group(server: subprocess.Popen[bytes]) -> None:
    """End the server with its kernels."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, sign)
            server.wait(timeout=10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


@pytest.fixture(scope="session")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def lab_without_server_part(browser: Browser, tmp_path: Path) -> Iterator[Lab]:
    with running_lab(tmp_path, server_extension=False) as running:
        yield running


@pytest.fixture
def server(browser: Browser, tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own."""
    running = Server(tmp_path)
    yield running
    running.end()


@pytest.fixture
def notebook_server(browser: Browser, tmp_path: Path) -> Iterator[Lab]:
    """Notebook, which runs the same extension."""
    running = Server(tmp_path, module="notebook")
    yield running.lab
    running.end()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    executable = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        try:
            running = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        except Error as error:
            if executable is not None or "Executable doesn't exist" not in error.message:
                raise
            pytest.skip("no Chromium on this machine")
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()
