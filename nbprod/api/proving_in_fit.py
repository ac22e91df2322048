"""The proof of a version that goes on beside its fit, which holds the compiled form to all rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from nbprod import replay, versions
from nbprod.api.packages import Target
from nbprod.api.proving import keep, replayed
from nbprod.model.run import RunResult, VerifyResult, Version
from nbprod.versions.state import ABOUT_THE_FIT

Say = Callable[[str, int, int], None]


class ProofInFit:
    """A proof in a copy of the package, in which the fit saves what it has learned as soon as it can.

    `say` is called in threads of its own, beside what the fit says. Leaving it ends what is still at work. Raises
    OSError where its folder can't be made.
    """

    def __init__(self, target: Target, version: Version, run: RunResult, runners: replay.Runners, say: Say) -> None:
        self._target, self._version, self._run, self._runners, self._say = target, version, run, runners, say
        self._temporary = TemporaryDirectory(prefix="nbprod-proof-", ignore_cleanup_errors=True)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="nbprod-proof")
        self._proof: Future[VerifyResult] = Future()
        self.folder = Path(self._temporary.name)

    def __enter__(self) -> ProofInFit:
        return self

    def __exit__(self, *_: object) -> None:
        self._runners.end()
        self._pool.shutdown()
        self._temporary.cleanup()

    @property
    def state(self) -> Path:
        """Where the fit saves what it has learned, in the copy of the package."""
        return versions.version_folder(self.folder, self._target.name, self._version.number) / "state"

    @property
    def _ended(self) -> Path:
        return self.folder / "fit-ended"

    def begin(self) -> None:
        """Begin in the copy that lies in `folder`."""
        self._proof = self._pool.submit(
            replayed,
            self._target,
            self._version,
            Path(self._run.captures),
            self._run.python,
            root=self.folder,
            fit_ended=self._ended,
            on_progress=self._say,
            runners=self._runners,
        )

    def end_of_fit(self, state: Path) -> None:
        """Hand over the whole state: the file that has the digests comes last, so that it holds at any moment."""
        for path in state.iterdir():
            if not (self.state / path.name).exists():
                shutil.copyfile(path, self.state / path.name)
        staged = self.state / f".{ABOUT_THE_FIT}"
        shutil.copyfile(state / ABOUT_THE_FIT, staged)
        staged.replace(self.state / ABOUT_THE_FIT)
        self._ended.touch()

    def of(self, version: Version) -> VerifyResult:
        """The outcome, kept for the version as it is listed now. Raises what `replayed` raises."""
        proof = self._proof.result()
        keep(self._target, version, proof, self._say)
        return proof
