"""Which kernel runs a notebook, and the clear words when there is none."""

from __future__ import annotations

from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import Notebook


def choose_kernel(notebook: Notebook, asked: str | None) -> str:
    """The kernel's name: the one asked for, else the notebook's own, else `python3` or the first Python kernel.

    Raises NbprodError with code `missing-kernel` naming the kernels that exist.
    """
    from jupyter_client.kernelspec import KernelSpecManager

    specs = KernelSpecManager().get_all_specs()
    languages = {name: str(spec["spec"].get("language", "")).lower() for name, spec in specs.items()}
    pythons = sorted((name for name, language in languages.items() if language == "python"), key=_python3_first)
    wanted = asked or notebook.kernel
    if wanted is None and pythons:
        return pythons[0]
    if wanted is None or wanted not in languages:
        named = f"the kernel {wanted!r}" if wanted else "a Python kernel"
        raise NbprodError(
            f"{named} is not installed; there is {_listed(sorted(languages))}",
            code="missing-kernel",
            where=Where(notebook.path),
            hint=f"run with --kernel {pythons[0]}" if pythons else "install one: python -m pip install ipykernel",
        )
    if languages[wanted] != "python":
        raise NbprodError(
            f"the kernel {wanted!r} runs {languages[wanted] or 'no known language'}, not Python",
            code="missing-kernel",
            where=Where(notebook.path),
            hint=f"run with --kernel and one of {_listed(pythons)}",
        )
    return wanted


def _python3_first(name: str) -> tuple[bool, str]:
    return name != "python3", name


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names) or "no kernel at all"
