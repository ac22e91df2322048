"""papermill's engine with events by cell and silent words to the kernel between cells."""

from __future__ import annotations

import math
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_core.utils import ensure_async, run_sync
from msgspec import Struct, field
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from traitlets.config import Config

from nbprod import environment
from nbprod.backends.ending import Ending
from nbprod.notebook.redact import without, without_in

ENGINE = "nbprod"
LONGEST_SOCKET_PATH = 80  # the system allows 107 bytes, of which jupyter_client adds a dash and a port


class Failure(Struct):
    """Why a run stopped: `position` counts all cells of the executed document, `source` is the cell's text."""

    kind: str
    position: int
    source: str
    name: str = ""
    value: str = ""
    traceback: str = ""


class Conduct(Struct):
    """What the engine is told, and what it tells: a thing that lives as long as one run.

    The first `restored()` cells are not run: what they left is put back by the words `restore`. `after_cell` gives
    words that keep what the cells so far have left, and `on_kept` hears when they were said. `ending` waits for the
    kernel's end after a good run; without it the run does.
    """

    bootstrap: str
    before_cell: Callable[[int], str | None]
    finish: str
    on_cell: Callable[[str, int, float, str], None]
    cwd: str
    kernel_log: Path
    restore: str | None = None
    restored: Callable[[], int] = lambda: 0
    after_cell: Callable[[int], str | None] = lambda _: None
    on_restored: Callable[[int, Any], None] = lambda _number, _cell: None
    on_kept: Callable[[int], None] = lambda _: None
    secrets: tuple[str, ...] = ()
    ending: Ending | None = None
    failure: Failure | None = None
    started: bool = False
    captured: bool = False
    fault: str = ""
    document: Any = None
    seconds: dict[int, float] = field(default_factory=dict)
    memory: dict[int, int] = field(default_factory=dict)


class EventfulClient(PapermillNotebookClient):  # type: ignore[misc]
    """A client that starts its kernel over ipc, prepares it, and says what each cell did."""

    def __init__(self, nb_man: Any, conduct: Conduct, **kw: Any) -> None:
        super().__init__(nb_man, **kw)
        self.conduct = conduct
        self.sockets: str | None = None
        self.group: int | None = None

    def create_kernel_manager(self) -> Any:
        is_short = len(f"{tempfile.gettempdir()}/nbprod-12345678") < LONGEST_SOCKET_PATH
        if sys.platform != "win32" and is_short:
            self.sockets = folder = tempfile.mkdtemp(prefix="nbprod-")
            ipc = {"transport": "ipc", "ip": f"{folder}/k"}
            self.config = Config({"KernelManager": ipc, "AsyncKernelManager": ipc})
        return super().create_kernel_manager()

    def execute(self, **kwargs: Any) -> Any:
        self.reset_execution_trackers()
        log = self.conduct.kernel_log.open("wb")
        try:
            with self.setup_kernel(stdout=log, stderr=log, env=environment.of_process(), **kwargs):
                self.papermill_execute_cells()
                if self.conduct.failure is None:
                    information = self.wait_for_reply(self.kc.kernel_info())
                    self.nb.metadata["language_info"] = information["content"]["language_info"]
                self.set_widgets_metadata()
            return self.nb
        except BaseException:
            self._end_group()
            raise
        finally:
            log.close()
            self._clean_log()
            if self.sockets is not None:
                shutil.rmtree(self.sockets, ignore_errors=True)

    def _cleanup_kernel(self) -> None:
        """End the kernel; one that has done all its cells is only asked to end where somebody waits for that later."""
        ending: Ending | None = self.conduct.ending
        provisioner: Any = getattr(self.km, "provisioner", None)
        process = getattr(provisioner, "process", None)
        is_good = self.conduct.captured and self.conduct.failure is None
        if ending is not None and process is not None and is_good:
            run_sync(self._async_ask_to_end)()
            provisioner.process = None
            ending.await_later(process)
        super()._cleanup_kernel()

    async def _async_ask_to_end(self) -> None:
        assert self.km is not None
        await ensure_async(self.km.request_shutdown())

    def papermill_execute_cells(self) -> None:
        self.conduct.started = True
        self.group = getattr(getattr(self.km, "provisioner", None), "pgid", None)
        self._say(self.conduct.bootstrap)
        if self.conduct.fault or not self._restore():
            return
        try:
            restored = self.conduct.restored()
            for position, cell in enumerate(self.nb.cells):
                if position < restored:
                    self.conduct.on_restored(position, cell)
                elif not self._run_cell(position, cell):
                    break
        except BaseException:
            self.shutdown_kernel = "immediate"
            raise
        if self.conduct.failure is None or self.conduct.failure.kind in ("cell", "timeout"):
            self._say(self.conduct.finish)
            self.conduct.captured = not self.conduct.fault

    def _restore(self) -> bool:
        """Put back what the cells that do not run have left; whether that went well."""
        if self.conduct.restore is None:
            return True
        self._say(self.conduct.restore)
        if self.conduct.fault:
            self.conduct.failure = Failure("not-restored", 0, "", "RestoreError", self.conduct.fault)
        return not self.conduct.fault

    def _keep(self, position: int) -> None:
        """Keep what the cells so far have left, where the stage ends here; if that fails, the run goes on."""
        words = self.conduct.after_cell(position)
        if words is None:
            return
        self._say(words)
        if not self.conduct.fault:
            self.conduct.on_kept(position)
        self.conduct.fault = ""

    def _run_cell(self, position: int, cell: Any) -> bool:
        conduct = self.conduct
        words = conduct.before_cell(position)
        if words is not None:
            self._say(words)
        started = time.monotonic()
        self.nb_man.cell_start(cell, position)
        conduct.on_cell("start", position, 0.0, "")
        try:
            self.execute_cell(cell, position)
        except CellExecutionError as error:
            told = self._hidden([error.ename, error.evalue, error.traceback])
            conduct.failure = Failure("cell", position, cell.source, *told)
        except CellTimeoutError:
            conduct.failure = Failure(
                "timeout", position, cell.source, "TimeoutError", f"longer than {self.timeout:g} s"
            )
            self._interrupt()
        except DeadKernelError:
            conduct.failure = Failure("dead", position, cell.source, "DeadKernelError", "the kernel died")
        except BaseException as error:
            conduct.failure = Failure("stopped", position, cell.source, type(error).__name__, "the run was stopped")
            self._failed(position, time.monotonic() - started)
            raise
        seconds = time.monotonic() - started
        if conduct.secrets and cell.cell_type == "code":
            cell.outputs = self._hidden(_with_whole_streams(cell.outputs))
        if conduct.failure is not None:
            self._failed(position, seconds)
            return False
        conduct.seconds[position] = seconds
        self._note_memory(position)
        self.nb_man.cell_complete(self.nb.cells[position], cell_index=position)
        conduct.on_cell("complete", position, seconds, "")
        self._keep(position)
        return True

    def _note_memory(self, position: int) -> None:
        """What the kernel's process has in memory now, where the system tells."""
        import psutil

        process = getattr(getattr(self.km, "provisioner", None), "pid", None)
        with suppress(psutil.Error):
            if process is not None:
                self.conduct.memory[position] = psutil.Process(process).memory_info().rss

    def process_message(self, msg: Any, *args: Any, **kwargs: Any) -> Any:
        """As papermill does it, which may write the notebook at any message: without the secrets of the run."""
        if self.conduct.secrets:
            msg = {**msg, "content": self._hidden(msg["content"])}
        return super().process_message(msg, *args, **kwargs)

    def _hidden(self, value: Any) -> Any:
        """A message or output without the secrets of the run."""
        return without_in(value, self.conduct.secrets)

    def _clean_log(self) -> None:
        if self.conduct.secrets:
            text = self.conduct.kernel_log.read_text(encoding="utf-8", errors="surrogateescape")
            clean = without(text, self.conduct.secrets)
            self.conduct.kernel_log.write_text(clean, encoding="utf-8", errors="surrogateescape")

    def _failed(self, position: int, seconds: float) -> None:
        self.conduct.seconds[position] = seconds
        self.nb_man.cell_exception(self.nb.cells[position], cell_index=position)
        self.nb_man.cell_complete(self.nb.cells[position], cell_index=position)
        failure = self.conduct.failure
        message = f"{failure.name}: {failure.value}" if failure is not None else ""
        self.conduct.on_cell("exception", position, seconds, message)

    async def _async_say(self, code: str, seconds: float | None) -> None:
        """Run code in the kernel that leaves no trace in notebook or history."""
        assert self.kc is not None
        identity = self.kc.execute(code, silent=True, store_history=False, allow_stdin=False)
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            try:
                reply = await ensure_async(self.kc.shell_channel.get_msg(timeout=1))
            except Empty:
                await self._async_check_alive()
                if deadline is not None and time.monotonic() > deadline:
                    self.conduct.fault = "the kernel did not answer"
                    return
                continue
            if reply["parent_header"].get("msg_id") == identity:
                if reply["content"]["status"] != "ok":
                    content = reply["content"]
                    self.conduct.fault = f"{content.get('ename', '')}: {content.get('evalue', '')}"
                return

    def _say(self, code: str, seconds: float | None = None) -> None:
        run_sync(self._async_say)(code, seconds)

    async def _async_interrupt(self) -> None:
        assert self.km is not None
        await ensure_async(self.km.interrupt_kernel())

    def _interrupt(self) -> None:
        """After a timeout the kernel is busy still: ask it to stop, and give up on captures if it doesn't."""
        run_sync(self._async_interrupt)()
        self._say("", seconds=5)
        if self.conduct.fault and self.conduct.failure is not None:
            self.conduct.failure.kind = "hung"
            self.shutdown_kernel = "immediate"

    def _end_group(self) -> None:
        """End the kernel and everything that its cells have started."""
        if self.group is None or not hasattr(os, "killpg") or self.group == os.getpgrp():
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, signal.SIGKILL)


def _with_whole_streams(outputs: list[Any]) -> list[Any]:
    """Outputs with the pieces of one stream put together: a secret may be printed in two."""
    whole: list[Any] = []
    for each in outputs:
        last = whole[-1] if whole else {}
        if each["output_type"] == "stream" and last.get("name") == each["name"]:
            last["text"] += each["text"]
        else:
            whole.append(each)
    return whole


class EventfulEngine(NBClientEngine):  # type: ignore[misc]
    """Registered as papermill's engine `nbprod`; the run's `Conduct` comes in as an engine argument."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        log_output: bool = False,
        start_timeout: float = 60,
        conduct: Conduct | None = None,
        execution_timeout: float | None = None,
        **_: Any,
    ) -> Any:
        from papermill.log import logger

        assert conduct is not None
        conduct.document = nb_man.nb
        client = EventfulClient(
            nb_man,
            conduct,
            timeout=None if execution_timeout is None else max(1, math.ceil(execution_timeout)),
            startup_timeout=max(1, math.ceil(start_timeout)),
            kernel_name=kernel_name,
            log=logger,
            log_output=log_output,
            resources={"metadata": {"path": conduct.cwd}},
        )
        return client.execute()


papermill_engines.register(ENGINE, EventfulEngine)
