"""`nbprod deploy NAME TARGET`: the files with which an engine runs a version, or trains it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from nbprod.cli.options import as_json, format_option, output_option, package_completion
from nbprod.cli.terminal import common_options, note, show_error
from nbprod.errors import NbprodError

_SAID = {
    "new": ("written", "to be written", "green"),
    "changed": ("written anew", "stale", "yellow"),
    "merged": ("written anew, with your changes", "stale, to be written with your changes", "yellow"),
    "removed": ("removed", "no longer needed", "yellow"),
    "same": ("as it was", "up to date", None),
    "edited": ("yours, kept", "yours, kept", None),
    "conflict": ("yours, and the target asks for another text", "yours, and the target asks for another text", "red"),
}


def _targets(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from nbprod.deploy.targets import TARGETS

    return [CompletionItem(name, help=each.title) for name, each in TARGETS.items() if name.startswith(incomplete)]


@click.command(name="deploy")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=package_completion)
@click.argument("target", metavar="TARGET", required=False, shell_complete=_targets)
@click.option("--dir", "folder", metavar="DIR", help="Where the files go (default: deploy/NAME/TARGET).")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where files are stale.")
@click.option("--diff", "with_diff", is_flag=True, help="Show every difference, also of files that are ours.")
@click.option(
    "--force",
    is_flag=True,
    help="Where both have changed the same lines, write the target's text; yours is kept as FILE.orig.",
)
@click.option("--keep", is_flag=True, help="What was changed by hand is right: do not tell of it again.")
@click.option("--pin", is_flag=True, help="With docker: ask for the digest of the base image, and declare it.")
@click.option("--python", metavar="PATH", help="An interpreter that has the target's own compiler (kfp).")
@output_option
@format_option("text", "json")
@common_options
def command(
    name: str | None,
    target: str | None,
    folder: str | None,
    check: bool,
    with_diff: bool,
    force: bool,
    keep: bool,
    pin: bool,
    python: str | None,
    output: str | None,
    form: str,
) -> int:
    """Write the files with which an engine runs a version of NAME, or trains it again.

    NAME is a package: its champion, or where there is none its newest fitted version. NAME@VERSION and NAME@ALIAS mean
    another one. Without a TARGET the targets are listed; with --check, all that is deployed of NAME is looked at.

    The same version and configuration give the same files. What somebody changed by hand stays as it is: where the
    target would write something else there by now, the difference is shown and the exit code is 1, until --keep or
    --force says which one is right. With --check nothing is written, so that CI sees stale files.

    \b
    nbprod deploy sales docker --pin
    nbprod deploy sales@3 kubernetes --dir k8s/sales
    nbprod deploy sales airflow --check
    nbprod deploy sales --check
    """
    from nbprod import api
    from nbprod.api import deploying

    if target is None and (folder or pin or force or keep or python):
        raise NbprodError("--dir, --pin, --force, --keep and --python need a TARGET", code="usage")
    if check and name is None:
        raise NbprodError("--check needs the NAME of a package", code="usage")
    if name is None or (target is None and not check):
        return _list(form)
    if target is None:
        return _check_all(name, output, form, with_diff=with_diff)
    if (force and keep) or (check and (force or keep)):
        raise NbprodError("--check, --force and --keep exclude each other", code="usage")
    if check and pin:
        raise NbprodError("--check writes nothing, and --pin does", code="usage")
    report = api.deploy(
        name, target, folder=folder, output=output, check=check, force=force, keep=keep, pin=pin, python=python
    )
    code = 1 if deploying.is_stale(report, force=force, keep=keep) else 0
    if form == "json":
        click.echo(as_json(report))
    else:
        _show(report, code, _again(name, target, folder, output), force=force, keep=keep, with_diff=with_diff)
    return code


def _check_all(name: str, output: str | None, form: str, *, with_diff: bool) -> int:
    from nbprod.api import deploying

    reports = deploying.check_all(name, output=output)
    codes = [2 if "error" in report else int(deploying.is_stale(report)) for report in reports]
    if form == "json":
        told = [each | {"error": each["error"].as_json()} if "error" in each else each for each in reports]
        click.echo(as_json({"deployments": told}))
        return max(codes)
    for report, code in zip(reports, codes, strict=True):
        if "error" in report:
            click.echo(f"{name} on {report['target'] or 'what it does not tell'}, in {report['folder']}")
            show_error(report["error"])
            continue
        again = _again(name, report["target"], report["folder"], output)
        _show({**report, "notes": []}, code, again, force=False, keep=False, with_diff=with_diff)
    return max(codes)


def _again(name: str, target: str, folder: str | None, output: str | None) -> str:
    """The command that does what was checked."""
    asked = ["nbprod", "deploy", name, target]
    return shlex.join([*asked, *(("--dir", folder) if folder else ()), *(("-o", output) if output else ())])


def _list(form: str) -> int:
    from nbprod.deploy.targets import TARGETS

    if form == "json":
        click.echo(as_json({name: each.title for name, each in TARGETS.items()}))
        return 0
    width = max(map(len, TARGETS))
    for name, each in TARGETS.items():
        click.echo(f"{name:<{width}}   {each.title}")
    return 0


def _show(report: Mapping[str, Any], code: int, asked: str, *, force: bool, keep: bool, with_diff: bool) -> None:
    checked = report["checked"]
    click.echo(f"{report['name']} version {report['version']} on {report['target']}, in {report['folder']}")
    width = max((len(each["path"]) for each in report["files"]), default=0)
    for each in report["files"]:
        said, to_do, colour = _SAID[each["state"]]
        text = to_do if checked else said
        if each["state"] == "conflict" and (force or keep):
            text = f"written over, yours is {each['kept_as']}" if force else "yours, kept"
            colour = "yellow" if force else None
        click.echo(f"  {each['path']:<{width}}   {click.style(text, fg=colour) if colour else text}")
    for each in report["files"]:
        if each["diff"] and (with_diff or (each["state"] == "conflict" and not keep)):
            click.echo("")
            click.echo(_coloured(each["diff"]).rstrip("\n"))
    for text in report["notes"]:
        note(f"{click.style('note', fg='cyan')}: {text}")
    if code:
        click.echo("")
        if any(each["state"] == "conflict" for each in report["files"]):
            click.echo(f"hint: {asked} --keep where your text is right, --force where the target's is")
        else:
            click.echo(f"hint: {asked} writes them")
        return
    if not checked:
        for step in report["next"]:
            note(f"{click.style('next', fg='cyan')}: {step}")


def _coloured(diff: str) -> str:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    lines = diff.splitlines(keepends=True)
    return "".join(
        click.style(line, fg=colours[line[0]]) if line[:1] in colours and line[:3] not in ("+++", "---") else line
        for line in lines
    )
