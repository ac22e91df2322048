"""What is installed in the environment of a kernel, and as a lock that pip installs it from again."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from nbprod import environment
from nbprod.analysis.environment import kernel_python
from nbprod.errors import NbprodError, Where
from nbprod.notebook.redact import redact_text

LOCK = "requirements.lock"
SCRIPT = Path(__file__).parent / "kernel_environment.py"
NO_INDEX = "a folder"
KEEPS_ESTIMATORS = "skops"
"""What a package keeps fitted estimators with; no notebook imports it."""


class Installed(Struct, frozen=True):
    """Python, platform and distributions of an environment.

    `distributions` maps a normalised name to its `version`, with its `source` where that is no package index: a
    repository with its commit, the address of an archive, or "a folder". `not_found` are those of the modules that were
    asked for which can't be imported there.
    """

    python: str
    implementation: str
    platform: str
    executable: str
    distributions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    not_found: Sequence[str] = ()

    @property
    def digest(self) -> str:
        """Stands for everything that is installed, and for the Python and platform that it is installed on."""
        told = [self.python, self.implementation, self.platform, self.executable, dict(self.distributions)]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def lock(self) -> str:
        """The text of a requirements file with exact versions; what no index has stands in it as a comment."""
        lines = [f"# {self.implementation} {self.python}, {self.platform}"]
        for name, one in self.distributions.items():
            source = one.get("source", "")
            if source == NO_INDEX:
                lines.append(f"# {name}=={one['version']} was installed from a folder")
            elif source:
                lines.append(f"{name} @ {redact_text(source)}")
            else:
                lines.append(f"{name}=={one['version']}")
        return "\n".join(lines) + "\n"


def installed_for(kernel: str | None, modules: Iterable[str] = ()) -> Installed:
    """What is installed where a kernel runs, and which of some top-level modules can't be imported there.

    Raises NbprodError (`kernel-start`) where its Python can't be asked.
    """
    python = str((kernel_python(kernel) if kernel else None) or sys.executable)
    try:
        done = subprocess.run(
            [python, str(SCRIPT), *modules],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            env=environment.of_process(),
        )
        # What an environment prints as it starts stands before the answer.
        told = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError) as error:
        raise NbprodError(
            f"the kernel's Python can't say what is installed: {error}",
            code="kernel-start",
            where=Where(python),
            hint="start it by hand to see why",
        ) from error
    return Installed(**{name: told[name] for name in Installed.__struct_fields__})


def hold_to_needs(installed: Installed) -> None:
    """Raises NbprodError (`missing-library`) where packages can't be fitted in an environment, before anything runs."""
    if KEEPS_ESTIMATORS not in installed.distributions:
        raise NbprodError(
            f"the kernel's environment lacks {KEEPS_ESTIMATORS}, which a package keeps its fitted estimators with",
            code="missing-library",
            where=Where(installed.executable),
            hint=f"install it there: {installed.executable} -m pip install {KEEPS_ESTIMATORS}",
        )
