"""The frame of the command line: help, versions, usage errors, faults and exit codes."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from nbprod import __version__
from nbprod.cli.app import VERBS, App, app
from nbprod.errors import NbprodError, Where

HEAVY = ("pandas", "sklearn", "mlflow", "papermill", "nbformat", "nbconvert", "jupyter", "IPython", "rich", "numpy")


def test_help_names_every_verb_without_importing_one() -> None:
    code = (
        "import sys; from nbprod.cli import main; sys.argv = ['nbprod', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('LOADED', *[name for name in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = done.stderr.split("LOADED", 1)[1].split()
    assert all(verb in done.stdout for verb in VERBS)
    assert not [name for name in loaded if name.split(".")[0] in HEAVY]
    assert not [name for name in loaded if name.startswith(("nbprod.api", "nbprod.cli.verbs.", "nbprod.analysis"))]


@pytest.mark.parametrize("verb", [pytest.param(verb, id=verb) for verb in VERBS])
def test_each_verb_has_help_with_examples_and_the_common_options(verb: str) -> None:
    result = CliRunner().invoke(app, [verb, "--help"])

    assert result.exit_code == 0
    assert f"  nbprod {verb}" in result.output.partition("Options:")[0]
    assert all(option in result.output for option in ("--quiet", "--no-color", "--debug", "--help"))


def test_no_verb_shows_the_help() -> None:
    result = CliRunner().invoke(app, [])

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Has the notebook moved away" in result.stderr


def test_version_is_the_package_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"nbprod {__version__}\n"


@pytest.mark.parametrize(
    "words, message, hint",
    [
        pytest.param(["inpect"], 'there is no verb "inpect"', 'did you mean "nbprod inspect"?', id="a-verb-mistyped"),
        pytest.param(["promote", "sales"], 'no verb "promote"', '"nbprod versions NAME promote"', id="an-action"),
        pytest.param(["zzz"], 'there is no verb "zzz"', "verbs: init,", id="a-verb-like-no-other"),
        pytest.param(["inspect"], "missing argument 'NOTEBOOK...'", "nbprod inspect --help", id="no-notebook"),
        pytest.param(["inspect", "--fromat", "json", "a"], "no such option '--fromat'", "", id="an-option-mistyped"),
        pytest.param(["run", "a", "-p", "n"], "'-p' requires 2 arguments", "nbprod run --help", id="one-of-two"),
        pytest.param(["inspect", "--format", "xml", "a"], "'xml' is not one of 'text', 'json'", "", id="a-format"),
    ],
)
def test_wrong_use_is_told_once_on_stderr_with_exit_code_2(words: list[str], message: str, hint: str) -> None:
    result = CliRunner().invoke(app, words, prog_name="nbprod")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error[usage]: ")
    assert result.stderr.count("error[") == 1
    assert message in result.stderr
    assert hint in result.stderr


def failing(error: BaseException) -> App:
    @click.command(cls=App)
    def group() -> None:
        raise error

    group.invoke_without_command, group.no_args_is_help = True, False
    return group


@pytest.mark.parametrize(
    "error, code, shown",
    [
        pytest.param(
            NbprodError("no model", code="no-model", where=Where("a.ipynb", 3, "f00"), hint="train one"), 2,
            "error[no-model]: no model\n  --> a.ipynb, cell 3 (id f00)\nhint: train one\n", id="what-a-person-can-mend",
        ),
        pytest.param(
            PermissionError(13, "Permission denied", "a.ipynb"), 2,
            "error[system]: permission denied\n  --> a.ipynb\n", id="what-the-system-refuses",
        ),
        pytest.param(KeyboardInterrupt(), 130, "stopped\n", id="an-interrupt"),
    ],
)  # fmt: skip
def test_an_error_is_shown_in_its_form(error: BaseException, code: int, shown: str) -> None:
    result = CliRunner().invoke(failing(error), [])

    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.lstrip("\n") == shown


def test_a_fault_of_nbprod_asks_for_a_report_and_keeps_the_traceback_for_debug() -> None:
    short = CliRunner().invoke(failing(ZeroDivisionError("division by zero")), [])
    long = CliRunner().invoke(app, ["--debug", "inspect", "--format", "xml"])

    assert short.exit_code == 2
    assert "error[internal]: nbprod itself failed: ZeroDivisionError: division by zero" in short.stderr
    assert "please report it" in short.stderr
    assert "Traceback" not in short.stderr
    assert "error[usage]" in long.stderr
