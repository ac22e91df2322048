"""The notebook as the document that papermill runs: read anew from its file, or built from a `.py` notebook's cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbprod.backend import CellOutput
from nbprod.model.notebook import Notebook, Role
from nbprod.model.parameter import SecretValue, as_json, code_of
from nbprod.notebook.read import decoded, read_bytes

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"


def runnable_document(notebook: Notebook, kernel: str, out_dir: Path) -> Any:
    """An `nbformat.NotebookNode` of version 4 whose cells of parameters carry papermill's tag.

    A `.py` notebook is written to `out_dir` as an `.ipynb` first; the source file is only read.
    """
    import nbformat

    if notebook.format == "ipynb":
        text = decoded(read_bytes(notebook.path), notebook.path).removeprefix("\ufeff")
        document = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    else:
        document = _from_cells(notebook, kernel)
        nbformat.write(document, str(out_dir / f"{Path(notebook.path).stem}.ipynb"))  # type: ignore[no-untyped-call]
    document = nbformat.v4.upgrade(document)  # type: ignore[no-untyped-call]
    if not document.metadata.get("kernelspec", {}).get("language"):
        # papermill writes parameters in the language that the notebook names; one that names none is Python.
        document.metadata.setdefault("language_info", {}).setdefault("name", "python")
    code_cells = [cell for cell in document.cells if cell.cell_type == "code"]
    for cell, node in zip(notebook.cells, code_cells, strict=False):
        tags = list(node.metadata.get("tags", []))
        if cell.role is Role.PARAMETERS and PARAMETERS_TAG not in tags:
            node.metadata["tags"] = [*tags, PARAMETERS_TAG]
    return document


def show(cell: Any, outputs: Sequence[Mapping[str, Any]], execution_count: int | None) -> None:
    """Give a code cell what it has shown before."""
    from nbformat import from_dict

    cell.outputs = [from_dict(each) for each in outputs]  # type: ignore[no-untyped-call]
    cell.execution_count = execution_count


def shown_in(document: Any, indexes: Mapping[int, int]) -> dict[int, CellOutput]:
    """What the cells of an executed document have shown, by index among the notebook's own code cells."""
    cells = {index: document.cells[position] for position, index in indexes.items()}
    return {
        index: CellOutput([dict(one) for one in cell.outputs], cell.execution_count) for index, cell in cells.items()
    }


def put_parameters(document: Any, parameters: Mapping[str, object]) -> None:
    """Put the cell of a run's parameters behind each cell of parameters, or for that of an earlier run.

    papermill does so behind the first alone, and writes secrets down: here they are named, and `secret_words` set them.
    """
    from nbformat import v4

    if not parameters:
        return
    source = "\n".join(["# Parameters", *_lines(parameters)])
    behind = INJECTED_TAG if has_injected(document) else PARAMETERS_TAG
    cells: list[Any] = []
    for cell in document.cells:
        if behind not in cell.metadata.get("tags", []):
            cells.append(cell)
            continue
        injected = v4.new_code_cell(source, metadata={"tags": [INJECTED_TAG]})  # type: ignore[no-untyped-call]
        cells += [injected] if behind == INJECTED_TAG else [cell, injected]
    document.cells = cells
    document.metadata.setdefault("papermill", {})["parameters"] = as_json(dict(parameters))


def _lines(parameters: Mapping[str, object]) -> Iterator[str]:
    for name, value in parameters.items():
        if isinstance(value, SecretValue):
            yield f"# {name} is set to {value}"
        else:
            yield f"{name} = {code_of(value)}"


def secret_words(document: Any, position: int, parameters: Mapping[str, object]) -> list[str]:
    """What the kernel is told before the cell at `position`: the secrets, behind a cell of a run's parameters."""
    if position == 0 or INJECTED_TAG not in document.cells[position - 1].metadata.get("tags", []):
        return []
    hidden = {name: value for name, value in parameters.items() if isinstance(value, SecretValue)}
    return [f"{name} = {code_of(value.value)}" for name, value in hidden.items()]


def code_cell_indexes(document: Any, had_injected: bool) -> dict[int, int]:
    """Position among all cells of the document → index among the notebook's own code cells.

    The cell that papermill injects is left out, unless the notebook had one of its own, which papermill replaces.
    """
    indexes: dict[int, int] = {}
    for position, cell in enumerate(document.cells):
        injected = INJECTED_TAG in cell.metadata.get("tags", []) and not had_injected
        if cell.cell_type == "code" and not injected:
            indexes[position] = len(indexes)
    return indexes


def has_injected(document: Any) -> bool:
    """Whether the notebook is itself the output of a papermill run with parameters."""
    return any(INJECTED_TAG in cell.metadata.get("tags", []) for cell in document.cells)


def _from_cells(notebook: Notebook, kernel: str) -> Any:
    from nbformat import v4

    document = v4.new_notebook(  # type: ignore[no-untyped-call]
        metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}}
    )
    headings = ""
    for cell in notebook.cells:
        if cell.heading and cell.heading != headings:
            document.cells.append(v4.new_markdown_cell(f"## {cell.heading}"))  # type: ignore[no-untyped-call]
            headings = cell.heading
        document.cells.append(v4.new_code_cell(cell.source, metadata={"tags": list(cell.tags)}))  # type: ignore[no-untyped-call]
    return document
