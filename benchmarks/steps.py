"""How well the steps that `nbprod inspect` tells of cells agree with labels that people gave them.

    python benchmarks/steps.py NOTEBOOKS LABELS [--names NAMES.json] [--first 1] [--show LABEL]

LABELS holds a JSON file for each notebook of NOTEBOOKS, of the same name: the number of a code cell, the first being
`--first`, and the list of its labels. NAMES says what a step is called there: `{"data": "Data Loading"}`; a step of one
rule alone is `"explore/plot"`, and null leaves one out. Labels that no step is called are passed over. Printed are
precision, recall and F1 of each label over all labelled cells, their mean, and the share of cells with the same labels;
`--show` prints the cells where one label differs.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nbprod.analysis.roles import STEPS
from nbprod.analysis.roles.steps import Evidence, evidence_of_cells
from nbprod.notebook import read


class Labelled(NamedTuple):
    """A cell with the labels that people gave it, and those of the steps that nbprod sees."""

    place: str
    code: str
    wanted: frozenset[str]
    told: frozenset[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--names", type=Path, help="JSON of the names of the steps in the labels")
    parser.add_argument("--first", type=int, default=0, help="the number of the first code cell")
    parser.add_argument("--show", help="a label of which the differences are printed")
    arguments = parser.parse_args()
    names = json.loads(arguments.names.read_text("utf-8")) if arguments.names else {}
    cells = list(labelled(arguments.notebooks, arguments.labels, names, arguments.first))
    for cell in cells:
        if arguments.show in cell.wanted ^ cell.told:
            print(f"--- {cell.place}: {sorted(cell.wanted)} was told as {sorted(cell.told)}\n{cell.code}")
    show(cells)


def labelled(notebooks: Path, labels: Path, names: Mapping[str, str | None], first: int) -> Iterator[Labelled]:
    """The labelled cells of all notebooks."""
    known = {names.get(step, step) for step in STEPS} | set(names.values())
    for path in sorted(labels.glob("*.json")):
        cells = read(notebooks / f"{path.stem}.ipynb").cells
        evidence = evidence_of_cells(cells)
        for number, given in json.loads(path.read_text("utf-8")).items():
            place = int(number) - first
            if place < len(cells):
                told = called(evidence[place], names)
                yield Labelled(f"{path.stem}, cell {number}", cells[place].source, frozenset(given) & known, told)


def called(evidence: Iterable[Evidence], names: Mapping[str, str | None]) -> frozenset[str]:
    """What the labels call the steps of a cell."""
    told = set()
    for one in evidence:
        of_rule = f"{one.step}/{one.rule.removeprefix('call-')}"
        told.add(names[of_rule] if of_rule in names else names.get(one.step, one.step))
    return frozenset(name for name in told if name is not None)


def show(cells: list[Labelled]) -> None:
    """One line for each label, and one for all."""
    right, told, wanted = (Counter[str]() for _ in range(3))
    for cell in cells:
        right.update(cell.wanted & cell.told)
        told.update(cell.told)
        wanted.update(cell.wanted)
    scores = []
    for label in sorted(told | wanted):
        scores.append(2 * right[label] / (told[label] + wanted[label]))
        precision, recall = right[label] / max(told[label], 1), right[label] / max(wanted[label], 1)
        print(f"{label:30} {wanted[label]:5}  precision {precision:.2f}  recall {recall:.2f}  F1 {scores[-1]:.2f}")
    same = sum(cell.wanted == cell.told for cell in cells) / max(len(cells), 1)
    print(f"{len(cells)} cells, macro F1 {sum(scores) / max(len(scores), 1):.3f}, the same in {same:.0%}")


if __name__ == "__main__":
    main()
