"""The proof of a version that goes on beside the rest of its fit, which holds the compiled form to all rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from nbprod import replay
from nbprod.api.packages import Target
from nbprod.api.proving import keep, prove, replayed
from nbprod.model.run import RunResult, VerifyResult, Version

ABOUT_THE_FIT = "fitted.json"
"""The file of a state that has the digests of the others."""

Say = Callable[[str, int, int], None]


class ProofInFit:
    """A proof in a copy of the package, from the moment on that the fit has saved there what was learned.

    Progress is told once the outcome is asked for. Leaving it ends what is still at work. Raises OSError where the copy
    can't be written.
    """

    def __init__(self, target: Target, version: Version, run: RunResult, runners: replay.Runners, say: Say) -> None:
        self._target, self._version, self._run, self._runners, self._say = target, version, run, runners, say
        self._temporary = TemporaryDirectory(prefix="nbprod-proof-", ignore_cleanup_errors=True)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="nbprod-proof")
        self._proof: Future[VerifyResult] | None = None
        self._is_told = False
        self._at = "beside the fit", 0, 0
        self.folder = Path(self._temporary.name)
        self._state: Path | None = None

    def __enter__(self) -> ProofInFit:
        return self

    def __exit__(self, *_: object) -> None:
        self._runners.end()
        self._pool.shutdown()
        self._temporary.cleanup()

    @property
    def _ended(self) -> Path:
        return self.folder / "fit-ended"

    def begin(self, state: Path) -> None:
        """Begin with what the fit has saved in `state`, of a version in this proof's folder."""
        self._state = state
        self._proof = self._pool.submit(
            replayed,
            self._target,
            self._version,
            Path(self._run.captures),
            self._run.python,
            root=self.folder,
            fit_ended=self._ended,
            on_progress=self._tell,
            runners=self._runners,
        )

    def _tell(self, what: str, done: int, total: int) -> None:
        self._at = what, done, total
        if self._is_told:
            self._say(what, done, total)

    def end_of_fit(self, state: Path) -> None:
        """Hand over the whole state: the file that has the digests comes last, so that it holds at any moment."""
        if self._state is None:
            return
        for path in state.iterdir():
            if not (self._state / path.name).exists():
                shutil.copyfile(path, self._state / path.name)
        staged = self._state / f".{ABOUT_THE_FIT}"
        shutil.copyfile(state / ABOUT_THE_FIT, staged)
        staged.replace(self._state / ABOUT_THE_FIT)
        self._ended.touch()

    def of(self, version: Version) -> VerifyResult:
        """The outcome, kept for the version as it is listed now. Raises what `prove` raises."""
        if self._proof is None:
            captures, python = Path(self._run.captures), self._run.python
            return prove(self._target, version, captures, python, on_progress=self._say, runners=self._runners)
        self._is_told = True
        self._say(*self._at)
        proof = self._proof.result()
        keep(self._target, version, proof, self._say)
        return proof
