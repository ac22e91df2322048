"""Roles written into a notebook's cell tags, with every other byte of the file kept."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import Cell, MarkedBy, Notebook, Role
from nbprod.notebook.formats import lines_of, marker_tags, parse_script, percent_rest
from nbprod.notebook.read import decoded, encoding_of, read_bytes, read_text
from nbprod.notebook.roles import marks_of
from nbprod.notebook.spans import Container, Member, array_at, object_at, value_at

_ROLES = frozenset(role.value for role in Role)
_PERCENT_TAGS = re.compile(r"(?P<before>[ \t]*\btags\s*=\s*)\[[^\]]*\]")
_JSON_TAGS = re.compile(r'(?P<before>(?:,\s*)?"tags"\s*:\s*)\[[^\]]*\]')
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def set_roles(path: str | os.PathLike[str], roles: Mapping[int, Role | None]) -> None:
    """Gives the code cells of `roles` their role as a tag, or takes it away where it is None.

    Cells count from 0 over code cells. Only `metadata.tags` of these cells changes; a role that was set and
    taken away again leaves the bytes as they were. The file is replaced in one step, through symbolic links.
    Raises NbprodError, and writes nothing, where a cell or the file does not allow it.
    """
    name = os.fspath(path)
    content = read_bytes(name)
    text = decoded(content, name)
    changed = retagged(text, name, roles)
    if changed != text:
        _replace(name, content, changed.encode(encoding_of(content, name)))


def retagged(text: str, path: str, roles: Mapping[int, Role | None]) -> str:
    """The notebook's text with those cells tagged; the work of `set_roles` without the file."""
    notebook = read_text(text, path)
    for index, role in roles.items():
        _check(notebook, index, role)
    match notebook.format:
        case "ipynb":
            return _retagged_json(text, path, notebook, roles)
        case "percent":
            return _retagged_percent(text, path, notebook, roles)
        case _:
            raise NbprodError(
                "a plain .py file has no cells to tag",
                code="no-cells",
                where=Where(path),
                hint="divide it into cells with `# %%` lines",
            )


def _check(notebook: Notebook, index: int, role: Role | None) -> None:
    if not 0 <= index < len(notebook.cells):
        last = len(notebook.cells) - 1
        raise NbprodError(
            f"there is no cell {index}",
            code="no-such-cell",
            where=Where(notebook.path),
            hint=f"the code cells of this notebook are 0 to {last}",
        )
    cell = notebook.cells[index]
    marks = marks_of(cell.source, (), cell.magics)
    other = next((mark for mark in marks if role is not None and mark.role not in (None, role)), None)
    if other is not None:
        raise NbprodError(
            f'cell {index} already carries {other}, so it cannot be tagged "{role}"',
            code="conflicting-role",
            where=Where(notebook.path, cell.index, cell.id, other.line),
            hint=f"change or remove the {'comment' if other.by is MarkedBy.COMMENT else 'magic'} in the cell",
        )


# ---------------------------------------------------------------- .ipynb


def _retagged_json(text: str, path: str, notebook: Notebook, roles: Mapping[int, Role | None]) -> str:
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    body = text.removeprefix(bom)
    elements = _cell_elements(body, path)
    edits = [_edit(body, path, notebook.cells[index], elements, role) for index, role in roles.items()]
    for start, end, new in sorted(edits, reverse=True):
        body = body[:start] + new + body[end:]
    return bom + body


def _cell_elements(text: str, path: str) -> Container:
    start = len(text) - len(text.lstrip())
    cells = object_at(text, start).get("cells")
    if cells is None:
        raise NbprodError(
            "the notebook is of format 3 or older, which nbprod reads but does not write",
            code="old-format",
            where=Where(path),
            hint="open it in JupyterLab and save it, which upgrades it",
        )
    return array_at(text, cells.value)


def _edit(text: str, path: str, cell: Cell, elements: Container, role: Role | None) -> tuple[int, int, str]:
    """The byte range to replace, and what by, so that the cell's tags hold `role` and no other role."""
    outer = object_at(text, elements.members[cell.position].value)
    metadata = outer.get("metadata")
    if metadata is None or text[metadata.value] != "{":
        raise _malformed(path, cell, "no metadata")
    inner = object_at(text, metadata.value)
    tags = inner.get("tags")
    unchanged = (metadata.value, metadata.value, "")
    if tags is None:
        return _added(text, elements, outer, inner, role) if role is not None else unchanged
    if text[tags.value] != "[":
        raise _malformed(path, cell, "tags that are no list")
    array = array_at(text, tags.value)
    present = [value_at(text, member.value)[0] for member in array.members]
    if present == _with_role(present, role):
        return unchanged
    if not _with_role(present, role) and not _keeps_empty(text, inner, array):
        return _removed(inner, tags)
    return (array.start, array.end, _array_text(text, array, present, role))


def _is_role(tag: object) -> bool:
    return isinstance(tag, str) and tag in _ROLES


def _with_role(tags: Sequence[object], role: Role | None) -> list[object]:
    """The tags with `role` as their one role, where the first one stood or at the end."""
    kept = [tag for tag in tags if not _is_role(tag)]
    if role is not None:
        first = next((index for index, tag in enumerate(tags) if _is_role(tag)), len(kept))
        kept.insert(first, role.value)
    return kept


def _malformed(path: str, cell: Cell, reason: str) -> NbprodError:
    return NbprodError(
        f"cell {cell.index} has {reason}",
        code="malformed-cell",
        where=Where(path, cell.index, cell.id),
        hint="open the notebook in JupyterLab and save it",
    )


def _opening(text: str, container: Container) -> str:
    """The whitespace between a container's bracket and its first member."""
    return text[container.start + 1 : container.members[0].start] if container.members else ""


def _separator(text: str, container: Container) -> str:
    """What stands between two members, such as `, ` or a comma and an indented new line."""
    if len(container.members) > 1:
        return text[container.members[0].end : container.members[1].start]
    return "," + _opening(text, container)


def _colon(text: str, *containers: Container) -> str:
    """What stands between key and value, such as `: `."""
    member = next(member for container in containers for member in container.members)
    key_end = text.index(":", _after_key(text, member))
    return text[_after_key(text, member) : key_end] + text[key_end : member.value]


def _after_key(text: str, member: Member) -> int:
    _, end = value_at(text, member.start)
    return end


def _added(text: str, elements: Container, outer: Container, inner: Container, role: Role) -> tuple[int, int, str]:
    """The edit that adds a `tags` key in the file's own style, in its sorted place where the keys are sorted."""
    level = _opening(text, outer)
    unit = _unit(_opening(text, elements), level)
    line = (_opening(text, inner) if inner.members else level + unit) if "\n" in level else _opening(text, inner)
    broken = "\n" in line
    deeper, back = (line + unit, line) if broken else ("", "")
    entry = f'"tags"{_colon(text, inner, outer)}[{deeper}"{role.value}"{back}]'
    if not inner.members:
        return (inner.start, inner.end, "{" + line + entry + (level if broken else "") + "}")
    separator = _separator(text, inner)
    keys = [member.key for member in inner.members]
    place = sum(key < "tags" for key in keys) if keys == sorted(keys) else len(keys)
    if place == 0:
        at = inner.members[0].start
        return (at, at, entry + separator)
    at = inner.members[place - 1].end
    return (at, at, separator + entry)


def _unit(shallow: str, deep: str) -> str:
    """One level of indentation, from the whitespace before two nested members."""
    outer, inner = shallow.rpartition("\n")[2], deep.rpartition("\n")[2]
    return inner.removeprefix(outer) if inner.startswith(outer) else inner


def _keeps_empty(text: str, inner: Container, array: Container) -> bool:
    """Whether an emptied list stays as `[]`: it is written in one line in metadata that is not.

    That is how a role goes into a list that was empty; where nbprod adds the key, the list is broken into
    lines as the metadata is, and goes with the role.
    """
    return "\n" in _opening(text, inner) and "\n" not in text[array.start : array.end]


def _removed(inner: Container, tags: Member) -> tuple[int, int, str]:
    """The edit that takes the key out, and the separator that came with it."""
    place = inner.members.index(tags)
    if len(inner.members) == 1:
        return (inner.start, inner.end, "{}")
    if place == 0:
        return (tags.start, inner.members[1].start, "")
    return (inner.members[place - 1].end, tags.end, "")


def _array_text(text: str, array: Container, present: Sequence[object], role: Role | None) -> str:
    """The array with `role` as its one role; what stays is written as it was, with what stood before it."""
    members = array.members
    pending = None if role is None else json.dumps(role.value)
    parts: list[str] = []
    for index, (tag, member) in enumerate(zip(present, members, strict=True)):
        written: str | None = text[member.start : member.end]
        if _is_role(tag):
            written, pending = pending, None
        if written is not None:
            parts += [text[members[index - 1].end : member.start] if parts else _opening(text, array), written]
    if pending is not None:
        parts += [_new_separator(text, array) if parts else "", pending]
    closing = text[members[-1].end : array.end - 1] if parts and members else ""
    return "[" + "".join(parts) + closing + "]"


def _new_separator(text: str, array: Container) -> str:
    """What to write before an element that is added to a list which has some."""
    separator = _separator(text, array)
    return ", " if separator == "," and len(array.members) == 1 and _spaced(text) else separator


def _spaced(text: str) -> bool:
    """Whether the file writes a space after a colon, for lists that show no separator of their own."""
    return re.match(r'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s', text) is not None


# ---------------------------------------------------------------- percent .py


def _retagged_percent(text: str, path: str, notebook: Notebook, roles: Mapping[int, Role | None]) -> str:
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    lines = lines_of(text.removeprefix(bom))
    raw = parse_script(text.removeprefix(bom), path).cells
    for index, role in roles.items():
        cell = notebook.cells[index]
        marker = raw[cell.position].marker
        rest = percent_rest(lines[marker - 1]) if marker else None
        if rest is None:
            if role is None:
                continue
            raise NbprodError(
                f"cell {index} has no `# %%` line that could carry a tag",
                code="no-marker",
                where=Where(path, cell.index, cell.id, max(cell.file_line, 1)),
                hint=f"write `# %%` above it, or `#| nbprod: {role}` as its first line",
            )
        lines[marker - 1] = _marker(lines[marker - 1], rest, role)
    return bom + "".join(lines)


def _marker(line: str, rest: str, role: Role | None) -> str:
    """The `# %%` line with its tags changed."""
    present = list(marker_tags(rest))
    wanted = _with_role(present, role)
    if wanted == present:
        return line
    listed = json.dumps(wanted, ensure_ascii=False)
    for form in (_PERCENT_TAGS, _JSON_TAGS):
        if form.search(line):
            return form.sub(lambda match: match["before"] + listed if wanted else "", line, count=1)
    closing = line.rfind("}") if rest.rstrip().endswith("}") else -1
    if closing >= 0:
        comma = "" if line[:closing].rstrip().endswith("{") else ", "
        return f'{line[:closing]}{comma}"tags": {listed}{line[closing:]}'
    body = line.rstrip()
    return f"{body} tags={listed}{line[len(body) :]}"


# ---------------------------------------------------------------- the file


def _replace(path: str, before: bytes, after: bytes) -> None:
    """Puts `after` in the place of the file in one step, if it still holds `before`."""
    temporary: Path | None = None
    try:
        target = Path(path).resolve(strict=True)
        status = target.stat()
        _check_writable(path, target, status)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".nbprod-", suffix=".tmp")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(after)
            stream.flush()
            os.fchmod(stream.fileno(), stat.S_IMODE(status.st_mode))
            with suppress(PermissionError):
                os.fchown(stream.fileno(), status.st_uid, status.st_gid)
            os.fsync(stream.fileno())
        if target.read_bytes() != before:
            raise NbprodError(
                "the file changed while its tags were being written",
                code="file-changed",
                where=Where(path),
                hint="nothing was written; save the notebook in its editor and try again",
            )
        temporary.replace(target)
        temporary = None
        _sync_folder(target.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _check_writable(path: str, target: Path, status: os.stat_result) -> None:
    folder = target.parent
    if not status.st_mode & 0o222 or not os.access(target, os.W_OK):
        raise _read_only(path, "the file is read-only", f"make it writable: chmod u+w {path}")
    if not folder.stat().st_mode & 0o222 or not os.access(folder, os.W_OK):
        raise _read_only(path, f"the folder {folder} is read-only", "a new file is written beside the old one first")


def _read_only(path: str, message: str, hint: str) -> NbprodError:
    return NbprodError(message, code="read-only", where=Where(path), hint=hint)


def _unwritable(path: str, error: OSError) -> NbprodError:
    if error.errno in _FULL:
        return NbprodError(
            "there is no space left to write the file",
            code="no-space",
            where=Where(path),
            hint="nothing was written; make room and try again",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _read_only(path, "the file or its folder may not be written", "ask for write permission on them")
    if error.errno == errno.ENOENT:
        return NbprodError(
            "the file vanished while its tags were being written",
            code="vanished",
            where=Where(path),
            hint="nothing was written; save the notebook in its editor and try again",
        )
    reason = error.strerror or str(error)
    return NbprodError(f"the file cannot be written: {reason}", code="unwritable", where=Where(path))


def _sync_folder(folder: Path) -> None:
    """Makes the renaming itself durable, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
