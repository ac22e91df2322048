"""A notebook as nbprod sees it: code cells with their roles, whatever file format they came from."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    """What a cell is for. `explore` marks a cell that is left out."""

    PARAMETERS = "parameters"
    DATA = "data"
    FEATURES = "features"
    TRAIN = "train"
    EVALUATE = "evaluate"
    EXPLORE = "explore"


class MarkedBy(StrEnum):
    """How a cell carries its role: `metadata.tags`, `#| nbprod: features`, or `%%features`."""

    TAG = "tag"
    COMMENT = "comment"
    MAGIC = "magic"


class SyntaxFault(Struct, frozen=True):
    """Why a cell does not parse as Python: the parser's message and its line (1-based, in the cell)."""

    message: str
    line: int


class Magic(Struct, frozen=True):
    """One masked magic or shell line: `line` 1-based in the cell, `text` as written.

    `name` is `time` for `%time` and `%%time`, `!` for shell lines, `?` for help.
    `assigns` holds the names that the line defines, as in `files = !ls`.
    """

    line: int
    text: str
    name: str
    is_cell: bool = False
    assigns: tuple[str, ...] = ()


class Cell(Struct, frozen=True):
    """One code cell.

    `source` is the author's text; `code` is plain Python with the same number of lines, each statement on
    the same line and column as in `source`, where magics and shell lines are masked.
    `file_line` is the 1-based line of the cell's first source line in a `.py` file, 0 for `.ipynb`.
    `position` is the cell's index among all cells of the file, markdown included.
    `heading` is the nearest markdown heading above, for people.
    `outputs_text` holds the saved outputs' plain text (truncated), for findings about secrets and the like;
    `result_count` the execution count that the saved result of the last expression carries.
    """

    index: int
    id: str
    source: str
    code: str
    role: Role | None = None
    marked_by: MarkedBy | None = None
    tags: tuple[str, ...] = ()
    magics: tuple[Magic, ...] = ()
    fault: SyntaxFault | None = None
    execution_count: int | None = None
    position: int = 0
    file_line: int = 0
    heading: str = ""
    outputs_text: str = ""
    result_count: int | None = None


class Notebook(Struct, frozen=True):
    """A notebook read from `path`; `format` is `ipynb`, `percent` or `script`.

    `python` is the version of the Python that it was last saved under, where the file says so. `given_names` are those
    that its kernel is declared to bind before the first cell.
    """

    path: str
    format: str
    cells: tuple[Cell, ...]
    kernel: str | None = None
    language: str = "python"
    nbformat: tuple[int, int] = (4, 5)
    python: tuple[int, int] | None = None
    given_names: tuple[str, ...] = ()


class Suggestion(Struct, frozen=True):
    """A role proposed for an untagged cell, with the reason a person is shown and a confidence in 0…1."""

    cell: int
    role: Role
    confidence: float
    reason: str
