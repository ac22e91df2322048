"""A notebook read from a file or from an editor's text, whatever its format."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from pathlib import Path

from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import Cell, Notebook
from nbprod.notebook.formats import RawCell, RawNotebook, heading_of, parse_ipynb, parse_script
from nbprod.notebook.masking import Masked, mask, mask_body
from nbprod.notebook.roles import marks_of, role_of

SIZE_LIMIT = 200 * 1024 * 1024
NEWEST_FORMAT = 4

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_PYTHON_DIALECTS = frozenset({"py", "sage", "sagemath"})


def read(path: str | os.PathLike[str]) -> Notebook:
    """The notebook in the file at `path`: `.ipynb`, percent `.py` or plain `.py`.

    Raises NbprodError where there is no such file or no notebook in it. A cell that does not parse is no
    error: it carries its `fault`, and the other cells are as they would be without it.
    """
    name = os.fspath(path)
    return read_text(decoded(read_bytes(name), name), name)


def read_text(text: str, path: str) -> Notebook:
    """The notebook in `text`, an editor's unsaved content of the file at `path`."""
    check_name(path)
    text = text.removeprefix("\ufeff")
    raw = _parsed(text, path)
    _check(raw, path)
    return Notebook(
        path=path,
        format=raw.format,
        cells=_cells(raw),
        kernel=raw.kernel,
        language="python",
        nbformat=raw.nbformat,
        python=raw.python,
    )


def read_bytes(path: str) -> bytes:
    """The bytes of a notebook file. Raises NbprodError where they cannot be had."""
    check_name(path)
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            raise _error("a-folder", "this is a folder", path, "give a notebook file inside of it")
        if not stat.S_ISREG(status.st_mode):
            raise _error("not-a-file", "this is not a regular file", path, "copy its content to a .ipynb file first")
        if status.st_size > SIZE_LIMIT:
            size = status.st_size // (1024 * 1024)
            raise _error(
                "too-large",
                f"the file has {size} MB, and nbprod reads no more than {SIZE_LIMIT // (1024 * 1024)} MB",
                path,
                "a notebook of this size holds outputs: clear them with `jupyter nbconvert --clear-output --inplace`",
            )
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise _error("not-found", "there is no such file", path, _similar(path)) from None
    except PermissionError:
        raise _error("unreadable", "the file may not be read", path, "ask for read permission on it") from None
    except OSError as error:
        raise _error("unreadable", f"the file cannot be read: {error.strerror or error}", path, None) from None


def decoded(content: bytes, path: str) -> str:
    """The text of a notebook file. Raises NbprodError where the bytes are no text of the file's encoding."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _error("wrong-encoding", "the file is UTF-16, and notebooks are UTF-8", path, "save it again as UTF-8")
    nul = content.find(b"\0")
    if nul >= 0:
        line = content.count(b"\n", 0, nul) + 1
        raise NbprodError(
            f"the file holds null bytes, the first on line {line}: it was damaged, or is not UTF-8 text",
            code="null-bytes",
            where=Where(path, line=line),
            hint="restore the file from version control or .ipynb_checkpoints",
        )
    encoding = encoding_of(content, path)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NbprodError(
            f"the file is not {encoding.upper()}: byte 0x{content[error.start]:02x} on line {line} is no part of it",
            code="wrong-encoding",
            where=Where(path, line=line),
            hint="save it again as UTF-8",
        ) from None


def encoding_of(content: bytes, path: str) -> str:
    """`utf-8`, or what a `.py` file declares in its first two lines (PEP 263)."""
    if not path.endswith(".py"):
        return "utf-8"
    for line in content.split(b"\n", 2)[:2]:
        match = _CODING.match(line.removeprefix(b"\xef\xbb\xbf"))
        if match is not None:
            name = match[1].decode("ascii")
            try:
                "".encode(name)
            except LookupError:
                raise _error("wrong-encoding", f'the file declares the unknown encoding "{name}"', path, None) from None
            return name
    return "utf-8"


def check_name(path: str) -> None:
    """Raises NbprodError where a file's name could not be shown as it is: control characters, no valid text."""
    bad = next((char for char in path if unicodedata.category(char) in ("Cc", "Cs") or char in _BIDI), None)
    if bad is None:
        return
    raise _error(
        "bad-name",
        f"the file's name holds the character U+{ord(bad):04X}, which cannot be shown",
        path.encode("unicode_escape", "backslashreplace").decode("ascii"),
        "rename the file",
    )


def _parsed(text: str, path: str) -> RawNotebook:
    suffix = Path(path).suffix.lower()
    if suffix == ".py":
        return parse_script(text, path)
    if suffix != ".ipynb" and text.lstrip()[:1] not in ("{", "<"):
        raise _error(
            "not-a-notebook",
            "this is not a notebook",
            path,
            "give a .ipynb file, or a .py file with `# %%` cells",
        )
    if not text.strip():
        raise _error("empty-file", "the file is empty", path, "save the notebook again from where it is open")
    return parse_ipynb(text, path)


def _check(raw: RawNotebook, path: str) -> None:
    language = raw.language.strip().lower()
    if "python" not in language and language not in _PYTHON_DIALECTS:
        raise _error("not-python", f"the notebook is written in {raw.language}", path, "nbprod reads Python notebooks")
    if not any(cell.kind == "code" for cell in raw.cells):
        raise _error("no-code-cells", "the notebook has no code cells", path, "nbprod works on code; add a code cell")
    if raw.nbformat[0] > NEWEST_FORMAT:
        import logging

        major, minor = raw.nbformat
        logging.getLogger(__name__).warning(
            "%s is of notebook format %d.%d, newer than nbprod knows (%d); it is read as well as possible",
            path,
            major,
            minor,
            NEWEST_FORMAT,
        )


def _cells(raw: RawNotebook) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    heading = ""
    taken: set[str] = set()
    for position, cell in enumerate(raw.cells):
        if cell.kind == "markdown":
            heading = heading_of(cell.source) or heading
        elif cell.kind == "code":
            identity = _identity(cell, taken)
            taken.add(identity)
            cells.append(_cell(cell, identity, len(cells), position, heading))
    return tuple(cells)


def _cell(raw: RawCell, identity: str, index: int, position: int, heading: str) -> Cell:
    masked: Masked = mask_body(raw.source, raw.language) if raw.language else mask(raw.source)
    role, marked_by = role_of(marks_of(raw.source, raw.tags, masked.magics))
    return Cell(
        index=index,
        id=identity,
        source=raw.source,
        code=masked.code,
        role=role,
        marked_by=marked_by,
        tags=raw.tags,
        magics=masked.magics,
        fault=masked.fault,
        execution_count=raw.execution_count,
        position=position,
        file_line=raw.file_line,
        heading=heading,
        outputs_text=raw.outputs_text,
        result_count=raw.result_count,
    )


def _identity(cell: RawCell, taken: set[str]) -> str:
    """The cell's own id, or one made of its content and its place among cells of the same content."""
    if cell.id and cell.id not in taken:
        return cell.id
    from hashlib import sha256

    ordinal = 0
    while True:
        text = f"{ordinal}\n{cell.source}".encode("utf-8", "surrogatepass")
        identity = sha256(text).hexdigest()[:8]
        if identity not in taken:
            return identity
        ordinal += 1


def _similar(path: str) -> str | None:
    """A hint at a file with a near name in the same folder."""
    from difflib import get_close_matches

    folder = Path(path).parent
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.name.endswith((".ipynb", ".py"))]
    except OSError:
        return f"there is no folder {folder} either"
    near = get_close_matches(Path(path).name, names, 1)
    return f"did you mean {folder / near[0]}?" if near else "give the path of a .ipynb or .py file"


def _error(code: str, message: str, path: str, hint: str | None) -> NbprodError:
    return NbprodError(message, code=code, where=Where(path), hint=hint)
