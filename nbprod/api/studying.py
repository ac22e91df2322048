"""The outline of a notebook with its plan and findings."""

from __future__ import annotations

from msgspec import Struct

from nbprod.analysis.incremental import Analyser
from nbprod.api.outlining import Outline, Recorded, outline
from nbprod.errors import NbprodError
from nbprod.findings import find
from nbprod.model.finding import Finding
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.notebook.roles import role_findings
from nbprod.plan import Choice, make_plan
from nbprod.undisturbed import undisturbed


class Study(Struct, frozen=True):
    """All that is known of a notebook without running it; `failure` says why there is no plan."""

    outline: Outline
    plan: FeaturePlan | None
    failure: NbprodError | None

    @property
    def notebook(self) -> Notebook:
        """The notebook as it was read."""
        return self.outline.notebook

    @property
    @undisturbed()
    def findings(self) -> tuple[Finding, ...]:
        """Findings by place."""
        found = (*role_findings(self.notebook), *find(self.notebook, self.outline.analysis, self.plan))
        return tuple(sorted(found, key=lambda each: (each.cell, each.line, each.rule)))


@undisturbed()
def study(
    notebook: Notebook,
    *,
    model: str | None = None,
    auto: bool = False,
    batch: bool = False,
    recorded: Recorded | None = None,
    analyser: Analyser | None = None,
) -> Study:
    """Analyse `notebook` and make its plan. What stops the plan is part of the result, not an error.

    `model` names the one that is served; `auto` takes a suggestion where there are several and nothing tells.
    `batch` plans a package that serves whole batches where rows can't be served alone.
    `recorded` is what an earlier version of the package knows; `analyser` has analysed this notebook before.
    """
    before = recorded or Recorded()
    choice = Choice(model, before.model, auto, batch or before.batch)
    known = outline(notebook, recorded, analyser)
    try:
        return Study(known, make_plan(notebook, known.analysis, choice), None)
    except NbprodError as error:
        return Study(known, None, error)
