"""Dataflow of notebooks in process, against the analysers of soorgeon and marimo where they are installed.

    python benchmarks/analysis.py [FOLDER] [--most N]

All notebooks below FOLDER are analysed by each tool in interleaved order, so that a busy machine slows all of them
alike. Printed are CPU milliseconds a cell (median and 90th percentile over notebooks), the largest notebook, the time
to analyse again after the last, a middle and the first cell was edited, and each peer's time as a ratio to nbprod's.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from nbprod.analysis import analyse
from nbprod.analysis.incremental import Analyser
from nbprod.analysis.roles.steps import _of_sources
from nbprod.api.studying import Study, study
from nbprod.errors import NbprodError
from nbprod.model.notebook import Notebook
from nbprod.notebook import read
from nbprod.notebook.parsed import parsed

Tool = Callable[[Notebook], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parents[1] / "examples")
    parser.add_argument("--most", type=int, default=200, help="notebooks to look at")
    parser.add_argument("--rounds", type=int, default=3, help="analyses of each notebook, of which the best counts")
    arguments = parser.parse_args()
    notebooks = readable(sorted(arguments.folder.rglob("*.ipynb")), arguments.most)
    tools = {"nbprod": analyse, "inspect": inspected, **peers()}
    seconds: dict[str, list[float]] = {name: [] for name in tools}
    for notebook in notebooks:
        for name, tool in tools.items():
            seconds[name].append(min(timed(tool, notebook) for _ in range(arguments.rounds)))
    for name, taken in seconds.items():
        show(name, notebooks, taken, seconds["nbprod"])
    show_edits(notebooks)


def readable(paths: Sequence[Path], most: int) -> list[Notebook]:
    """The notebooks among the files that can be read."""
    found = []
    for path in paths:
        try:
            found.append(read(path))
        except NbprodError:
            continue
        if len(found) == most:
            break
    return found


def peers() -> dict[str, Tool]:
    """The other analysers that are installed here; each is given the plain Python of the cells that parse."""
    found: dict[str, Tool] = {}
    try:
        from soorgeon import io

        found["soorgeon"] = lambda notebook: [io.find_inputs_and_outputs(code) for code in codes(notebook)]
    except ImportError:
        pass
    try:
        from marimo._ast.compiler import compile_cell
        from marimo._runtime.dataflow import DirectedGraph

        def graph(notebook: Notebook) -> DirectedGraph:
            made = DirectedGraph()
            for number, code in enumerate(codes(notebook)):
                made.register_cell(str(number), compile_cell(code, cell_id=str(number)))
            return made

        found["marimo"] = graph
    except ImportError:
        pass
    return found


def inspected(notebook: Notebook) -> Study:
    """All that `nbprod inspect` says of a notebook once it is read: dataflow, what cells do, plan and findings."""
    for kept in (_of_sources, parsed):  # what was said of the same text before is no answer here
        kept.cache_clear()
    made = study(notebook, auto=True)
    assert isinstance(made.findings, tuple)
    return made


def codes(notebook: Notebook) -> list[str]:
    """The cells that parse, as plain Python."""
    return [cell.code for cell in notebook.cells if cell.fault is None]


def timed(tool: Tool, notebook: Notebook) -> float:
    """CPU seconds of one analysis; one that fails counts with the time until it did."""
    start = time.process_time()
    try:
        tool(notebook)
    except Exception as error:  # noqa: BLE001 - a peer's failure is its own
        print(f"{Path(notebook.path).name}: {type(error).__name__} in {getattr(tool, '__module__', tool)}")
    return time.process_time() - start


def show(name: str, notebooks: Sequence[Notebook], taken: Sequence[float], ours: Sequence[float]) -> None:
    """One line for a tool."""
    each = sorted(1000 * spent / max(len(notebook.cells), 1) for spent, notebook in zip(taken, notebooks, strict=True))
    largest, spent = max(zip((len(one.cells) for one in notebooks), taken, strict=True))
    print(
        f"{name:9} {statistics.median(each):6.2f} ms a cell, 90th percentile {each[len(each) * 9 // 10]:6.2f};"
        f" {largest} cells in {1000 * spent:.0f} ms; all in {sum(taken):.1f} s, {sum(taken) / sum(ours):.2f} x nbprod"
    )


def show_edits(notebooks: Sequence[Notebook]) -> None:
    """The time to analyse again after one cell was edited, by its place."""
    for place, share in (("last", 1.0), ("middle", 0.5), ("first", 0.0)):
        taken = []
        for notebook in notebooks:
            analyser = Analyser()
            analyser.analyse(notebook)
            at = round(share * (len(notebook.cells) - 1))
            for number in range(2):
                edited = replace(notebook.cells[at], code=f"{notebook.cells[at].code}\nedited = {number}")
                cells = (*notebook.cells[:at], edited, *notebook.cells[at + 1 :])
                spent = timed(analyser.analyse, replace(notebook, cells=cells))
            taken.append(1000 * spent)
        taken.sort()
        highest = taken[len(taken) * 9 // 10]
        print(f"{place} cell edited: median {statistics.median(taken):.1f} ms, 90th percentile {highest:.1f}")


if __name__ == "__main__":
    main()
