"""The outcome of a replay as people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from nbprod.analysis.draws import chooses_rows
from nbprod.cli.excerpt import describe
from nbprod.cli.problem import Problem
from nbprod.model.notebook import Notebook

COLOURS = {"proven": "green", "observed": "cyan", "refused": "red", "failed": "red"}
MEANING = {
    "proven": "the rules prove the steps, and the replay found no difference",
    "observed": "the replay found no difference; some steps are known by it alone",
    "refused": "some steps can not be served",
    "failed": "package and notebook part",
}


def proof_text(
    proof: dict[str, Any], path: str, notebook: Notebook | None, findings: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Status, what was compared, each check, and the smallest row on which the two part.

    `findings` are those of the notebook, of which one may be the reason.
    """
    status, error = proof["status"], proof["max_abs_error"]
    lines = [
        f"{click.style(status, fg=COLOURS[status], bold=True)}: {MEANING[status]}",
        f"  rows         {proof['rows_equal']} of {proof['rows']} equal, largest error {_number(error)}",
        f"  predictions  {proof['predictions_equal']} of {proof['predictions']} equal",
    ]
    for check in proof["checks"]:
        mark = click.style("ok  ", fg="green") if check["passed"] else click.style("FAIL", fg="red", bold=True)
        lines.append(f"  {mark} {check['name']}" + (f" ({check['detail']})" if check["detail"] else ""))
    text = "\n".join(lines)
    return text if proof["mismatch"] is None else f"{text}\n\n{_mismatch(proof, path, notebook, findings)}"


def mismatch_problem(proof: Mapping[str, Any], path: str, findings: Sequence[Mapping[str, Any]] = ()) -> Problem:
    """The first step at which the two sides part, as a problem at its place in the notebook.

    Where one of `findings` tells why they do, the hint says so.
    """
    mismatch = proof["mismatch"]
    return Problem(
        path,
        "replay-mismatch",
        "error",
        f"{mismatch['feature']}: the notebook has {mismatch['notebook']!r}, the package {mismatch['package']!r}",
        mismatch["cell"] if mismatch["cell"] >= 0 else None,
        line=max(1, mismatch["line"]),
        end_line=max(1, mismatch["line"]),
        hint=_reason(proof, findings),
    )


def _reason(proof: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> str | None:
    """Other training rows where they are drawn without a seed; other test rows where these are prepared otherwise."""
    trains_otherwise = any(each["name"].startswith("training ") for each in proof["checks"] if not each["passed"])
    for each in findings:
        place = f"cell {each['cell']}, line {each['line']}"
        what = each["message"].partition(" ")[0]
        if trains_otherwise and each["rule"] == "missing-seed" and chooses_rows(what):
            return (
                f"{what} ({place}) has no seed, and what the notebook trains before draws from the same "
                f"numbers, so that the package has other training rows: {each['hint']}"
            )
        if not trains_otherwise and each["rule"] == "divergent-test-path":
            where = next((_place(cause) for cause in each.get("related", ())), place)
            return f"{each['message']} ({where}), and a package has one way for all rows: {each['hint']}"
    return None


def _place(cause: Mapping[str, Any]) -> str:
    """Where the way of the test rows leaves that of the others, with the statement."""
    return f"cell {cause['cell']}, line {cause['line']}: {cause['message'].partition(': ')[2]}"


def _mismatch(
    proof: Mapping[str, Any], path: str, notebook: Notebook | None, findings: Sequence[Mapping[str, Any]]
) -> str:
    row = "\n".join(f"    {name}: {value!r}" for name, value in proof["mismatch"]["row"].items())
    told = describe(mismatch_problem(proof, path, findings), notebook)
    return f"{told}\n  the smallest raw row that shows it:\n{row}"


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:g}"
