"""The reference pages name what exists: verbs and options, error codes and findings, configuration keys."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from msgspec import Struct

from nbprod import config
from nbprod.cli.app import VERBS, app
from nbprod.magics import completion
from nbprod.server.handlers import EXECUTES
from nbprod.server.routes import ROUTES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def section(page: str, heading: str) -> str:
    """The text under a heading, up to the next heading of the same or a higher level."""
    text = (DOCS / page).read_text()
    match = re.search(rf"^(#+) {re.escape(heading)}$", text, flags=re.MULTILINE)
    assert match, f"{page} has no heading {heading!r}"
    rest = text[match.end() :]
    end = re.search(rf"^#{{1,{len(match[1])}}} ", rest, flags=re.MULTILINE)
    return rest[: end.start()] if end else rest


def command(path: str) -> click.Command:
    """The command of a verb, or of a verb's own verb as in `versions promote`."""
    found: click.Command = app
    for word in path.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), word) or pytest.fail(f"there is no {path}")
    return found


def command_paths() -> Iterator[str]:
    for verb in VERBS:
        yield verb
        group = command(verb)
        if isinstance(group, click.Group):
            yield from (f"{verb} {name}" for name in group.list_commands(click.Context(group)))


def common_options() -> set[str]:
    return {option for parameter in app.params for option in parameter.opts} | {"--help", "-h"}


def options_of(path: str) -> set[str]:
    """The long names of a command's own options."""
    return {
        option
        for parameter in command(path).params
        if isinstance(parameter, click.Option)
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--")
    } - common_options()


def error_codes() -> set[str]:
    """Every `code=...` that nbprod writes out, whatever it is passed to."""
    found = set()
    for path in (ROOT / "nbprod").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
                found.add(node.value.value)
    return {code for code in found if isinstance(code, str) and re.fullmatch(r"[a-z]+(-[a-z]+)*", code)}


def codes_in_tables(page: str) -> set[str]:
    """The codes in the first column of a page's tables; a row may have several."""
    rows = re.findall(r"^\|((?: `[a-z-]+`,?)+) \|", (DOCS / page).read_text(), flags=re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([a-z-]+)`", row)}


def keys_of(kind: type[Struct]) -> set[str]:
    return set(kind.__struct_fields__)


CONFIGURED = {
    "`[tool.nbprod]`": config.Config,
    "`[tool.nbprod.pipelines.NAME]`": config.PipelineConfig,
    "`requirements`": config.Requirements,
    "`success`": config.Success,
    "`gate`": config.GateConfig,
    "`retraining`": config.Retraining,
    "`monitoring`": config.Monitoring,
    "`low_confidence`": config.LowConfidence,
    "`owners`": config.Owners,
    "`labels`": config.Labels,
    "`decision`": config.Decision,
    "`data`": config.Data,
}


def test_the_readme_lists_the_verbs_that_exist() -> None:
    listed = re.findall(r"^\| `nbprod ([a-z]+)` \|", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_the_command_line_page_has_each_verb_with_all_of_its_options(verb: str) -> None:
    own = {option for path in command_paths() if path.split()[0] == verb for option in options_of(path)}
    documented = set(re.findall(r"`(?:-\w, )?(--[a-z][a-z-]*)", section("cli.md", f"nbprod {verb}")))
    assert documented == own


def test_options_that_the_documents_show_with_a_verb_exist() -> None:
    wrong = []
    for document in (ROOT / "README.md", *DOCS.glob("*.md"), *(ROOT / "examples").rglob("*.md")):
        for magic, verb, rest in re.findall(r"(%?)\bnbprod ([a-z]+)\b([^`\n#]*)", document.read_text()):
            if verb in VERBS:
                known = {option for path in command_paths() if path.split()[0] == verb for option in options_of(path)}
                known |= set(completion.options_of(verb)) if magic else set()
                wrong += [
                    f"{document.name}: nbprod {verb} {o}"
                    for o in re.findall(r"(?<!\S)--[a-z-]+", rest)
                    if o not in known | common_options()
                ]
    assert wrong == []


def test_every_error_code_stands_on_the_troubleshooting_page() -> None:
    assert error_codes() - codes_in_tables("troubleshooting.md") == set()


@pytest.mark.parametrize("heading", CONFIGURED)
def test_the_configuration_page_has_exactly_the_keys_that_are_read(heading: str) -> None:
    kind = CONFIGURED[heading]
    assert issubclass(kind, Struct)
    own = section("configuration.md", heading).split("\n### ")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", own, flags=re.MULTILINE)) == keys_of(kind)


def test_the_page_of_the_server_names_every_route_and_those_that_execute_code():
    page = (DOCS / "server.md").read_text()
    rows = re.findall(r"^\|((?: `[a-z]+`,?)+) \|", section("server.md", "The server extension"), flags=re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([a-z]+)`", row)]
    assert sorted(named) == sorted(route.name for route in ROUTES)
    rights = re.search(r"((?:`[a-z]+`(?:, | and )?)+) execute code", page)
    assert rights
    assert set(re.findall(r"`([a-z]+)`", rights[1])) == EXECUTES
