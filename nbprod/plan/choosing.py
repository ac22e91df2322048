"""Which model is served, and where its training rows come from."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from msgspec import Struct

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.populations import of_fold
from nbprod.analysis.tables import estimator_kind
from nbprod.analysis.tabular import STATISTICS
from nbprod.analysis.values import Event, Fact, Time
from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import Notebook, Role


class Choice(Struct, frozen=True):
    """How to choose among several models: by `name`; else, where the notebook does not tell, the one `before`.

    With `suggested` the last one that is evaluated is taken where nothing else tells. With `batch` the package is to
    serve whole batches, so that a feature may be made of the rows around a row.
    """

    name: str | None = None
    before: str | None = None
    suggested: bool = False
    batch: bool = False


class Chosen(Struct, frozen=True):
    """The training call of the model that is served; `why` says how it was chosen where that was not told."""

    fit: Event
    why: str = ""


def choose_model(notebook: Notebook, analysis: Analysis, choice: Choice) -> Chosen:
    """The training call of the model that is served.

    With one model it is that; with several it is the one that is named, the one that marked cells of an evaluation use
    last and alone, the one that is written into a file, the one that the last evaluation alone uses, or as `choice`
    says. Raises NbprodError `no-model`, `no-raw-data` where a model is fitted on rows of unknown
    origin, `unknown-model` or `several-models`.
    """
    fits = last_fits(analysis, also_of_tries=choice.name is not None)
    if not fits:
        untold = next((event for event in analysis.events if event.kind == "fit" and event.kindof == "predictor"), None)
        if untold is not None:
            raise no_raw_data(notebook, analysis, untold.facts[0], untold.statement)
        trained = next((event for event in reversed(analysis.events) if event.kind == "train"), None)
        if trained is not None:
            raise _not_fitted(notebook, analysis, trained)
        regression = next((e for e in reversed(analysis.events) if (e.kind, e.kindof) == ("fit", "regression")), None)
        if regression is not None:
            raise _of_statsmodels(notebook, analysis, regression)
        raise NbprodError(
            "no cell fits a model on rows of a table",
            code="no-model",
            where=Where(notebook.path),
            hint=_why_no_model(notebook),
        )
    by_name = {names_of(analysis, event): event for event in fits}
    if choice.name is not None:
        for names, event in by_name.items():
            if choice.name in names:
                return Chosen(event)
        raise NbprodError(
            f"no fitted model is called {choice.name}",
            code="unknown-model",
            where=Where(notebook.path),
            hint="fitted models: " + ", ".join(sorted(names[0] for names in by_name)),
        )
    if len(fits) == 1:
        return Chosen(fits[0])
    evaluated = _last_evaluated(notebook, analysis, fits)
    written = _written(analysis, fits)
    if written is not None and written is not evaluated and not (evaluated and _marks_evaluation(notebook)):
        return Chosen(written, f"{names_of(analysis, written)[0]} is the model that is written into a file")
    if evaluated is not None:
        return Chosen(evaluated)
    for names, event in by_name.items():
        if choice.before in names:
            return Chosen(event, f"{choice.before} is the model of the last version")
    if choice.suggested:
        return _suggested(analysis, fits)
    last = analysis.program.statements[fits[-1].statement]
    raise NbprodError(
        "several models are fitted, and the evaluation does not tell which one is served: "
        + ", ".join(sorted(names[0] for names in by_name)),
        code="several-models",
        where=Where(notebook.path, last.cell, analysis.program.cell_ids[last.cell], last.line),
        hint="say it with --model NAME, let the last evaluate cell use that model alone, or take the last with --auto",
    )


def _suggested(analysis: Analysis, fits: Sequence[Event]) -> Chosen:
    """The model that is evaluated last, else the one that is fitted last.

    An evaluated model that has lost its name to one that is fitted later was a try.
    """
    known = {event.obj: event for event in fits}
    used = [e.obj for e in analysis.events if e.kind in ("predict", "score") and e.obj in known]
    named = {value.obj for value in analysis.run.state.names.values()}
    if used and used[-1] not in named and fits[-1].obj in named:
        used = []
    event, what = (known[used[-1]], "evaluated") if used else (fits[-1], "fitted")
    others = sorted({names_of(analysis, each)[0] for each in fits if each is not event})
    more = f" and {len(others) - 5} more" if len(others) > 5 else ""
    others_text = ", ".join(others[:5]) + more
    return Chosen(event, f"{names_of(analysis, event)[0]} is the model that is {what} last (others: {others_text})")


FITTED = {
    "catboost": "CatBoostClassifier or CatBoostRegressor",
    "lightgbm": "LGBMClassifier or LGBMRegressor",
    "xgboost": "XGBClassifier or XGBRegressor",
}
"""The estimators of the libraries that have a training function of their own."""


def _not_fitted(notebook: Notebook, analysis: Analysis, trained: Event) -> NbprodError:
    """The error where a library's own function trains the model: its rows are in the library's own form."""
    place = analysis.program.statements[trained.statement]
    library = trained.name.partition(".")[0]
    return NbprodError(
        f"{trained.name} gives a booster, which takes rows in a form of its own and is not served",
        code="no-model",
        where=Where(notebook.path, place.cell, analysis.program.cell_ids[place.cell], place.line),
        hint=f"fit {FITTED.get(library, 'an estimator of the library')} on the table instead: .fit(X, y) trains the "
        "same trees with the same parameters",
    )


EQUIVALENT = {
    "logit": "LogisticRegression(penalty=None)",
    "ols": "LinearRegression()",
    "poisson": "PoissonRegressor(alpha=0)",
    "quantreg": "QuantileRegressor(alpha=0)",
    "rlm": "HuberRegressor(alpha=0)",
    "wls": "LinearRegression(), with .fit(X, y, sample_weight=…)",
}
"""Regressions of statsmodels in small letters, and the estimators of scikit-learn that fit the same or alike."""


def _of_statsmodels(notebook: Notebook, analysis: Analysis, regression: Event) -> NbprodError:
    """The error where regressions of statsmodels are the only models."""
    place = analysis.program.statements[regression.statement]
    instead = EQUIVALENT.get(regression.name.lower(), "an estimator of scikit-learn")
    return NbprodError(
        f"{regression.name} of statsmodels gives a result that holds its training rows and can be kept as a pickle "
        "alone, so it is not served",
        code="no-model",
        where=Where(notebook.path, place.cell, analysis.program.cell_ids[place.cell], place.line),
        hint=f"keep it for its summary, and fit {instead} on the same columns as the model that is served",
    )


def no_raw_data(notebook: Notebook, analysis: Analysis, matrix: Fact, fit: int) -> NbprodError:
    """The error where nothing tells what the rows of a matrix were read from; `fit` is the statement that trains."""
    place = analysis.program.statements[fit]
    learned = [analysis.run.learnings[number] for number in sorted(matrix.learned_at) if number >= 0]
    by_group = [each for each in learned if each.what.partition(".")[0] in ("groupby", *STATISTICS)]
    if by_group:
        made = analysis.program.statements[by_group[-1].statement]
        return NbprodError(
            f"the model is trained on a table that `{ast.unparse(by_group[-1].node)}` makes: each of its rows is made "
            "of several rows of the table that was read",
            code="no-raw-data",
            where=Where(notebook.path, made.cell, analysis.program.cell_ids[made.cell], made.line),
            hint="write that table to a file in a notebook of its own, and read it here; a row of it is then served",
        )
    return through_nothing(notebook, analysis, matrix.fit, "the rows", "no-raw-data") or NbprodError(
        "no statement was found that reads the rows the model is trained on",
        code="no-raw-data",
        where=Where(notebook.path, place.cell, analysis.program.cell_ids[place.cell], place.line),
        hint="read them in a cell: df = pd.read_csv(…)",
    )


def through_nothing(
    notebook: Notebook, analysis: Analysis, way: int, what: str, code: str
) -> NbprodError | None:  # fmt: skip
    """The error where the way of rows or labels goes through a name that no cell defines: a slip, most of the time.

    `way` are its statements, as bits.
    """
    from difflib import get_close_matches

    known = {name for effects in analysis.effects for name in effects.defines}
    for name, statement, line in analysis.run.undefined:
        if way >> statement & 1 and name not in known:
            near = get_close_matches(name, sorted(known), n=1)
            cell = analysis.program.statements[statement].cell
            return NbprodError(
                f"{what} that the model is trained on go through {name}, which no cell defines",
                code=code,
                where=Where(notebook.path, cell, analysis.program.cell_ids[cell], line),
                hint=f"did you mean {near[0]}?" if near else "define it in a cell above",
            )
    return None


def _why_no_model(notebook: Notebook) -> str:
    broken = [cell for cell in notebook.cells if cell.fault is not None]
    if broken:
        cells = ", ".join(str(cell.index) for cell in broken)
        return f"cell {cells} does not parse, and the rest is read without it: mend it first"
    return "train one with .fit(X, y) in a cell; models that are only cross-validated are not fitted"


def last_fits(analysis: Analysis, *, also_of_tries: bool = False) -> list[Event]:
    """The last training call of each predictor, in the order of the notebook.

    What is fitted without labels (a clustering) counts only where nothing is fitted with them. What is fitted to
    estimate how good a model will be (on a fold of a cross-validation, or on a side of a split that a loop makes anew
    in each round), or a setting (in a loop that makes a model in each round, none of which is used behind it), counts
    only where nothing is fitted once and for all, or where it is asked for.
    """
    fits = [event for event in analysis.events if event.kind == "fit" and event.kindof == "predictor"]
    of_rows = [event for event in fits if (rows := event.facts[0].rows) is not None and rows.root >= -1]
    known = [event for event in fits if event in of_rows or event.facts[0].time is Time.ROW]
    whole = [event for event in known if not _is_try(analysis, event) and not _tries_a_setting(analysis, event)]
    latest = {event.obj: event for event in (whole or known)}
    if also_of_tries:
        latest = {event.obj: event for event in known} | latest
    last = sorted(latest.values(), key=known.index)
    labelled = [event for event in last if event.facts[1].time is Time.ROW]
    return labelled or [event for event in last if answers_rows(event)] or last


def _is_try(analysis: Analysis, event: Event) -> bool:
    rows = event.facts[0].rows
    if rows is None:
        return False
    loops = {place.id for place in analysis.program.around(rows.split) if isinstance(place.node, ast.For | ast.While)}
    return of_fold(rows) or any(place.id in loops for place in analysis.program.around(event.statement))


def _tries_a_setting(analysis: Analysis, event: Event) -> bool:
    """Whether a loop both makes and trains the model, and nothing behind the loop uses it."""
    own = [each for each in analysis.events if each.obj == event.obj]
    made = next((each for each in own if each.kind == "construct"), None)
    within = set() if made is None else _loops(analysis, made) & _loops(analysis, event)
    return bool(within) and all(within & _loops(analysis, each) for each in own)


def _loops(analysis: Analysis, event: Event) -> set[int]:
    """The loops that an event stands in, or that call the function that it stands in."""
    statements = analysis.program.statements
    places = [statements[event.top], *analysis.program.around(event.statement)]
    return {place.id for place in places if isinstance(place.node, ast.For | ast.While)}


def answers_rows(event: Event) -> bool:
    """Whether a trained model can be asked about rows that it was not trained on."""
    return estimator_kind(event.name) != "training-only"


def names_of(analysis: Analysis, event: Event) -> tuple[str, ...]:
    """How a person may call a model: as in its training call, and any name it has at the end."""
    names = analysis.run.state.names
    bound = [name for name, value in names.items() if value.obj == event.obj]
    text = event.text
    if text.isidentifier() and not event.frames and (text not in names or text in bound):
        bound.insert(0, text)
    elif not text.isidentifier():
        bound.append(text)
    return tuple(dict.fromkeys((*bound, event.name.rpartition(".")[2])))


def uses_of(events: Iterable[Event], obj: int) -> list[Event]:
    """The calls that ask a model for predictions or a score."""
    return [event for event in events if event.kind in ("predict", "score") and event.obj == obj]


def _last_evaluated(notebook: Notebook, analysis: Analysis, fits: Sequence[Event]) -> Event | None:
    known = {event.obj: event for event in fits}
    cells = {cell.index: cell.role for cell in notebook.cells}
    marked = _marks_evaluation(notebook)
    by_cell: dict[int, set[int]] = {}
    for event in analysis.events:
        if event.kind in ("predict", "score") and event.obj in known:
            cell = analysis.program.statements[event.top].cell
            if not marked or cells.get(cell) is Role.EVALUATE:
                by_cell.setdefault(cell, set()).add(event.obj)
    if not by_cell:
        return fits[-1] if not any(e.kind in ("predict", "score") for e in analysis.events) and len(fits) == 1 else None
    used = by_cell[max(by_cell)]
    return known[next(iter(used))] if len(used) == 1 else None


def _marks_evaluation(notebook: Notebook) -> bool:
    return any(cell.role is Role.EVALUATE and cell.marked_by is not None for cell in notebook.cells)


def _written(analysis: Analysis, fits: Sequence[Event]) -> Event | None:
    """The training call of the one model that the notebook writes into a file, or hands to a registry."""
    known = {event.obj: event for event in fits}
    kept = {event.obj for event in analysis.events if event.kind == "keep" and event.obj in known}
    return known[kept.pop()] if len(kept) == 1 else None


def assigned_name(node: ast.stmt) -> str | None:
    """The name that a plain assignment binds."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return node.target.id
    return None
