"""The text of a file as raw cells: `.ipynb` of formats 3 and 4, percent `.py`, plain `.py`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

from msgspec import Struct

from nbprod.errors import NbprodError, Where

OUTPUT_LIMIT = 10_000

_CONFLICT_START = re.compile(r"^<<<<<<<(?: .*)?\r?$", re.MULTILINE)
_CONFLICT_MIDDLE = re.compile(r"^=======\r?$", re.MULTILINE)
_CONFLICT_END = re.compile(r"^>>>>>>>(?: .*)?\r?$", re.MULTILINE)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_NO_END = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""Characters at which `str.splitlines` splits, and Python does not."""
_PERCENT = re.compile(r"#\s*%%(?:%*)(?:[ \t]+(?P<rest>.*))?$")
_DATABRICKS = re.compile(r"#\s*COMMAND\s*-{5,}\s*$")
_NBCONVERT = re.compile(r"#\s*(?:In\[[\d ]*\]:?|<codecell>)\s*$")
_CELL_TYPE = re.compile(r"\[(markdown|md|raw|code|html|sql|bash)\]", re.IGNORECASE)
_TAGS = re.compile(r"""\btags\s*=\s*(\[[^\]]*\])""")
_HEADING = re.compile(r"^(?:#{1,6}\s+(.+?)\s*#*|<h[1-6][^>]*>(.*?)</h[1-6]>)\s*$", re.MULTILINE | re.IGNORECASE)


class RawCell(Struct, frozen=True):
    """One cell as the file has it. `marker` is the 1-based line of its `# %%`, 0 where it has none."""

    kind: str
    source: str
    id: str = ""
    tags: tuple[str, ...] = ()
    execution_count: int | None = None
    file_line: int = 0
    marker: int = 0
    outputs_text: str = ""
    result_count: int | None = None
    language: str = ""


class RawNotebook(Struct, frozen=True):
    format: str
    cells: tuple[RawCell, ...]
    kernel: str | None = None
    python: tuple[int, int] | None = None
    language: str = "python"
    nbformat: tuple[int, int] = (4, 5)


def heading_of(markdown: str) -> str:
    """The last heading in a markdown text, empty where there is none."""
    found = [(hash_ or tag).strip() for hash_, tag in _HEADING.findall(markdown)]
    return re.sub(r"<[^>]+>", "", found[-1]).strip() if found else ""


# ---------------------------------------------------------------- .ipynb


def parse_ipynb(text: str, path: str) -> RawNotebook:
    """The cells of a notebook in JSON. Raises NbprodError where the text is none."""
    document = _loaded(text, path)
    if not isinstance(document, dict):
        raise _not_a_notebook(path, f"it holds a JSON {_json_type(document)} where a notebook has an object")
    major, minor = _format_numbers(document)
    cells = document.get("cells")
    if not isinstance(cells, list) and isinstance(document.get("worksheets"), list):
        cells = _cells_of_worksheets(document["worksheets"])
    if not isinstance(cells, list):
        raise _not_a_notebook(path, "it is JSON, but it has no list of cells")
    metadata = _object(document.get("metadata"))
    kernelspec, info = _object(metadata.get("kernelspec")), _object(metadata.get("language_info"))
    name = kernelspec.get("name")
    return RawNotebook(
        "ipynb",
        tuple(_raw_cell(cell, position, path) for position, cell in enumerate(cells)),
        kernel=name if isinstance(name, str) else None,
        python=_version(info.get("version")),
        language=_language(info.get("name"), kernelspec.get("language")),
        nbformat=(major, minor),
    )


def _version(text: Any) -> tuple[int, int] | None:
    match = re.match(r"(\d{1,3})\.(\d{1,3})", text) if isinstance(text, str) else None
    return (int(match[1]), int(match[2])) if match is not None else None


def _loaded(text: str, path: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _broken_json(text, path, error) from None
    except RecursionError:
        raise NbprodError(
            "the JSON is nested too deeply to be a notebook",
            code="nested-json",
            where=Where(path),
            hint="restore the file from version control or a checkpoint",
        ) from None
    except ValueError as error:
        raise NbprodError(
            f"the file is not valid JSON: {error}",
            code="invalid-json",
            where=Where(path),
            hint="restore the file from version control or a checkpoint",
        ) from None


def _broken_json(text: str, path: str, error: json.JSONDecodeError) -> NbprodError:
    conflict = conflict_line(text)
    if conflict:
        return merge_conflict(path, conflict)
    where = Where(path, line=error.lineno)
    ends = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
    if ends and text.lstrip()[:1] in ("{", "["):
        return NbprodError(
            f"the file ends in the middle of its JSON (line {error.lineno}, column {error.colno})",
            code="truncated-json",
            where=where,
            hint="it was cut off while it was written; restore it from version control or .ipynb_checkpoints",
        )
    return NbprodError(
        f"the file is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})",
        code="invalid-json",
        where=where,
        hint="a notebook is a JSON file; restore it from version control or .ipynb_checkpoints",
    )


def conflict_line(text: str) -> int:
    """The 1-based line of the first merge-conflict marker, 0 where the three markers do not stand in order."""
    start = _CONFLICT_START.search(text)
    if start is None:
        return 0
    middle = _CONFLICT_MIDDLE.search(text, start.end())
    if middle is None or _CONFLICT_END.search(text, middle.end()) is None:
        return 0
    return text.count("\n", 0, start.start()) + 1


def merge_conflict(path: str, line: int) -> NbprodError:
    """The error for a file whose first conflict marker stands on `line`."""
    return NbprodError(
        f"merge-conflict markers stand in the file, the first on line {line}",
        code="merge-conflict",
        where=Where(path, line=line),
        hint="finish the merge: keep one side of each conflict, for notebooks best with `nbdime mergetool`",
    )


def _not_a_notebook(path: str, reason: str) -> NbprodError:
    return NbprodError(
        f"this is not a notebook: {reason}",
        code="not-a-notebook",
        where=Where(path),
        hint="give a .ipynb file, or a .py file with `# %%` cells",
    )


def _json_type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case list():
            return "list"
        case _:
            return "number"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _language(*named: Any) -> str:
    """The language that the metadata names; Python where they name none, or disagree about it."""
    words = [word for word in named if isinstance(word, str) and word not in ("", "plaintext")]
    python = next((word for word in words if "python" in word.lower()), None)
    return python or next(iter(words), "python")


def _format_numbers(document: dict[str, Any]) -> tuple[int, int]:
    major, minor = document.get("nbformat"), document.get("nbformat_minor")
    default = 3 if "worksheets" in document else 4
    return (
        major if isinstance(major, int) and not isinstance(major, bool) else default,
        minor if isinstance(minor, int) and not isinstance(minor, bool) else 0,
    )


def _cells_of_worksheets(worksheets: list[Any]) -> list[Any]:
    """The cells of a format 3 notebook under their names of format 4."""
    return [_upgraded(cell) for sheet in worksheets for cell in _object(sheet).get("cells") or ()]


def _upgraded(cell: Any) -> Any:
    if not isinstance(cell, dict):
        return cell
    match cell.get("cell_type"):
        case "code":
            count = cell.get("prompt_number")
            return {**cell, "source": cell.get("input", ""), "execution_count": count}
        case "heading":
            level = cell.get("level")
            hashes = "#" * level if isinstance(level, int) and 0 < level < 7 else "#"
            return {**cell, "cell_type": "markdown", "source": f"{hashes} {_joined(cell.get('source')) or ''}"}
        case _:
            return cell


def _joined(value: Any) -> str | None:
    """Multi-line text, which a notebook may hold as a list of lines."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return None


def _raw_cell(cell: Any, position: int, path: str) -> RawCell:
    source = _joined(cell.get("source", "")) if isinstance(cell, dict) else None
    if source is None:
        raise NbprodError(
            f"cell {position + 1} of the file, counting all cells, has no source text",
            code="malformed-cell",
            where=Where(path),
            hint="open the notebook in JupyterLab and save it, or restore it from version control",
        )
    metadata = _object(cell.get("metadata"))
    tags = metadata.get("tags")
    count = cell.get("execution_count")
    identity = cell.get("id")
    kind = cell.get("cell_type")
    return RawCell(
        kind=kind if isinstance(kind, str) else "raw",
        source=source,
        id=identity if isinstance(identity, str) else "",
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        execution_count=count if isinstance(count, int) else None,
        outputs_text=_outputs_text(cell.get("outputs")) if kind == "code" else "",
        result_count=_result_count(cell.get("outputs")),
        language=_other_language(metadata),
    )


def _other_language(metadata: dict[str, Any]) -> str:
    """The language of a single cell, where an editor lets cells differ (VS Code)."""
    word = _object(metadata.get("vscode")).get("languageId")
    return word if isinstance(word, str) and word != "python" else ""


def _outputs_text(outputs: Any) -> str:
    kept: list[str] = []
    room = OUTPUT_LIMIT
    for text in _output_texts(outputs):
        kept.append(text[:room])
        room -= len(kept[-1])
        if room <= 0:
            break
    return "\n".join(kept)


def _result_count(outputs: Any) -> int | None:
    """The execution count of the saved result of a cell's last expression."""
    for output in outputs if isinstance(outputs, list) else ():
        count = output.get("execution_count") if isinstance(output, dict) else None
        if isinstance(count, int):
            return count
    return None


def _output_texts(outputs: Any) -> Iterator[str]:
    for output in outputs if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        data = _object(output.get("data"))
        for value in (output.get("text"), data.get("text/plain"), output.get("traceback")):
            text = _joined(value)
            if text:
                yield text


# ---------------------------------------------------------------- .py


def lines_of(text: str, keepends: bool = True) -> list[str]:
    """The lines of a text, with their endings or without, split where Python splits."""
    if _NO_END.search(text) is None:
        return text.splitlines(keepends)
    found = [line for line in _LINE.findall(text) if line]
    return found if keepends else [line.rstrip("\r\n") for line in found]


def is_marker(line: str) -> bool:
    """Whether a line begins a cell: `# %%`, `# COMMAND ----------`, `# In[1]:`."""
    bare = line.rstrip("\r\n")
    return any(form.match(bare) for form in (_PERCENT, _DATABRICKS, _NBCONVERT))


def percent_rest(line: str) -> str | None:
    """What follows `# %%` on a marker line; None where the line is no such marker."""
    match = _PERCENT.match(line.rstrip("\r\n"))
    return None if match is None else (match["rest"] or "")


def parse_script(text: str, path: str) -> RawNotebook:
    """The cells of a `.py` file: by its cell marks, or one cell where there are none."""
    conflict = conflict_line(text)
    if conflict:
        raise merge_conflict(path, conflict)
    lines = lines_of(text)
    marks = [index for index, line in enumerate(lines) if is_marker(line)]
    if not marks:
        return RawNotebook("script", (RawCell("code", text.rstrip("\r\n"), file_line=1),) if text.strip() else ())
    header, kernel = _header(lines)
    cells = list(_cells_between(lines, marks, header))
    return RawNotebook("percent", tuple(cells), kernel=kernel)


def _header(lines: list[str]) -> tuple[int, str | None]:
    """The number of lines of a jupytext header or Databricks mark at the top, and the kernel that it names."""
    if lines[0].startswith("# Databricks notebook source"):
        return 1, None
    if lines[0].rstrip() != "# ---":
        return 0, None
    end = next((index for index, line in enumerate(lines[1:], 1) if line.rstrip() == "# ---"), None)
    if end is None:
        return 0, None
    block = "".join(lines[: end + 1])
    match = re.search(r"^#\s+kernelspec:.*?^#\s+name:\s*(\S+)", block, re.MULTILINE | re.DOTALL)
    return end + 1, match[1] if match else None


def _cells_between(lines: list[str], marks: list[int], header: int) -> Iterable[RawCell]:
    bounds = [*marks, len(lines)]
    if any(line.strip() for line in lines[header : bounds[0]]):
        yield _script_cell(lines, header, bounds[0], marker=None)
    for mark, end in pairwise(bounds):
        yield _script_cell(lines, mark + 1, end, marker=mark)


def _script_cell(lines: list[str], start: int, end: int, marker: int | None) -> RawCell:
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    source = "".join(lines[start:end]).rstrip("\r\n")
    rest = percent_rest(lines[marker]) if marker is not None else None
    kind = _kind(rest or "", source)
    return RawCell(
        kind=kind,
        source=source if kind == "code" else _uncommented(source),
        tags=marker_tags(rest or ""),
        file_line=start + 1,
        marker=0 if marker is None else marker + 1,
    )


def _kind(rest: str, source: str) -> str:
    named = _CELL_TYPE.search(_TAGS.sub("", rest))
    if named is not None:
        word = named[1].lower()
        return {"md": "markdown", "code": "code"}.get(word, word)
    return "markdown" if source.startswith("# MAGIC %md") else "code"


def _uncommented(source: str) -> str:
    return re.sub(r"^# ?(?:MAGIC ?(?:%md ?)?)?", "", source, flags=re.MULTILINE)


def marker_tags(rest: str) -> tuple[str, ...]:
    """The tags on a `# %%` line: `tags=["a", "b"]` or, in older files, `{"tags": ["a", "b"]}`."""
    readers: tuple[Callable[[], Any], ...] = (
        lambda: json.loads(_TAGS.search(rest)[1].replace("'", '"')),  # type: ignore[index]
        lambda: json.loads(rest[rest.index("{") :])["tags"],
    )
    for read in readers:
        try:
            tags = read()
        except (ValueError, TypeError, KeyError):
            continue
        return tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
    return ()
