"""What git knows of a folder: the commit, and what is not committed yet."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path

from msgspec import Struct

DIFF_LIMIT = 1_000_000


class GitState(Struct, frozen=True):
    """A working tree: `commit` is None before the first one; `diff` is of tracked files against `commit`.

    `dirty` counts changed, staged and untracked files, but none that git ignores. A diff of more than a million
    characters is cut, and says so in its last line.
    """

    commit: str | None
    branch: str | None
    dirty: bool
    diff: str
    root: str


def git_state(path: Path | str) -> GitState | None:
    """The git state of the folder (or of the file's folder) `path`; None without git or outside of a repository."""
    folder = Path(path)
    folder = folder if folder.is_dir() else folder.parent
    root = _git(folder, "rev-parse", "--show-toplevel")
    if not root:
        return None
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD") or None
    diff = (_git(folder, "diff", "--no-color", "--no-ext-diff", "HEAD") if commit else "") or ""
    return GitState(
        commit=commit,
        branch=_git(folder, "symbolic-ref", "--short", "--quiet", "HEAD") or None,
        dirty=bool(_git(folder, "status", "--porcelain", "--untracked-files=normal")),
        diff=diff if len(diff) <= DIFF_LIMIT else diff[:DIFF_LIMIT] + "\n# cut here: the diff is longer\n",
        root=root,
    )


def head(folder: Path) -> str | None:
    """The commit that is checked out around `folder`; None without git, or before the first one."""
    return _git(folder, "rev-parse", "--verify", "--quiet", "HEAD") or None


def person(folder: Path) -> str:
    """Who works here: `Name <address>` as git has it in `folder`, else the name of the user of the system."""
    name, address = (_git(folder, "config", "--get", f"user.{part}") for part in ("name", "email"))
    if name or address:
        return " ".join(part for part in (name, f"<{address}>" if address else None) if part)
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that no user has.
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def authors(folder: Path, days: int = 180) -> tuple[str, ...]:
    """Who has written commits of the repository around `folder` of late, as `Name <address>`; none without git."""
    told = _git(folder, "log", f"--since={days}.days", "--format=%an <%ae>")
    return tuple(dict.fromkeys(line for line in (told or "").splitlines() if line))


def _git(folder: Path, *words: str) -> str | None:
    # An exported GIT_DIR (as in a hook) would answer for another repository than the folder's own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, env=environment, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip("\n") if done.returncode == 0 else None
