"""Roles as people write them: a cell tag, a first-line comment `#| nbprod: features`, or `%%features`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from nbprod.model.finding import Finding, Related, Severity
from nbprod.model.notebook import Cell, Magic, MarkedBy, Notebook, Role

_COMMENT = re.compile(r"#\s*\|\s*nbprod\s*:\s*(\S.*?)\s*$")
_COMMENTED_MAGIC = re.compile(r"#\s*%%(\w+)\b")
_ROLES = {role.value: role for role in Role}
_FORMS = {
    "training": Role.TRAIN,
    "trained": Role.TRAIN,
    "evaluation": Role.EVALUATE,
    "eval": Role.EVALUATE,
    "exploration": Role.EXPLORE,
    "exploratory": Role.EXPLORE,
    "params": Role.PARAMETERS,
    "param": Role.PARAMETERS,
    "feature-engineering": Role.FEATURES,
    "feature_engineering": Role.FEATURES,
}
_NEAR, _NEAR_WHERE_A_ROLE_IS_MEANT = 0.79, 0.6


class Mark(Struct, frozen=True):
    """One role as written on a cell; `role` is None where the word is no role. `line` is 1-based in the cell."""

    by: MarkedBy
    word: str
    line: int
    role: Role | None

    def __str__(self) -> str:
        match self.by:
            case MarkedBy.TAG:
                return f'the tag "{self.word}"'
            case MarkedBy.COMMENT:
                return f"the comment `#| nbprod: {self.word}`"
            case _:
                return f"the magic `%%{self.word}`"


def marks_of(source: str, tags: Sequence[str], magics: Sequence[Magic]) -> tuple[Mark, ...]:
    """All role marks of a cell, tags first, then comments, then magics."""
    if not tags and not magics and "#" not in source:
        return ()
    by_tag = [Mark(MarkedBy.TAG, tag, 1, _ROLES[tag]) for tag in tags if tag in _ROLES]
    return (*by_tag, *_comments(source), *_magics(source, magics))


def _comments(source: str) -> Iterator[Mark]:
    for number, line in _leading_lines(source):
        match = _COMMENT.match(line)
        if match is not None:
            yield Mark(MarkedBy.COMMENT, match[1], number, _ROLES.get(match[1].lower()))


def _magics(source: str, magics: Iterable[Magic]) -> Iterator[Mark]:
    for magic in magics:
        if magic.is_cell and magic.name in _ROLES:
            yield Mark(MarkedBy.MAGIC, magic.name, magic.line, _ROLES[magic.name])
    for number, line in _leading_lines(source):
        match = _COMMENTED_MAGIC.match(line)
        if match is not None and match[1] in _ROLES:
            yield Mark(MarkedBy.MAGIC, match[1], number, _ROLES[match[1]])


def _leading_lines(source: str) -> Iterator[tuple[int, str]]:
    """The lines above a cell's first statement: comments, cell magics and empty lines."""
    if "#" not in source:
        return
    for number, line in enumerate(source.splitlines(), 1):
        bare = line.strip()
        if bare and not bare.startswith(("#", "%%")):
            return
        yield number, bare


def role_of(marks: Iterable[Mark]) -> tuple[Role | None, MarkedBy | None]:
    """The first role among the marks, and how it is carried."""
    for mark in marks:
        if mark.role is not None:
            return mark.role, mark.by
    return None, None


def near_role(word: str, cutoff: float = _NEAR) -> Role | None:
    """The role that a word was probably meant to be, None where it is not near to one.

    `cutoff` is difflib's ratio of equal letters, 0…1.
    """
    plain = word.strip().lower()
    if plain in _ROLES:
        return _ROLES[plain]
    if plain in _FORMS:
        return _FORMS[plain]
    from difflib import get_close_matches

    near = get_close_matches(plain, [name for name in _ROLES if name[:1] == plain[:1]], 1, cutoff)
    return _ROLES[near[0]] if near else None


def role_findings(notebook: Notebook) -> tuple[Finding, ...]:
    """`conflicting-role` and `unknown-role` for every cell."""
    marked = [cell for cell in notebook.cells if cell.tags or cell.magics or "#" in cell.source]
    return tuple(finding for cell in marked for finding in (*_conflicts(cell), *_unknown(cell)))


def _conflicts(cell: Cell) -> Iterator[Finding]:
    marks = [mark for mark in marks_of(cell.source, cell.tags, cell.magics) if mark.role is not None]
    other = next((mark for mark in marks if mark.role != marks[0].role), None)
    if other is None:
        return
    yield Finding(
        "conflicting-role",
        Severity.ERROR,
        f"cell {cell.index} has two roles: {marks[0]} and {other}",
        cell.index,
        cell.id,
        other.line,
        other.line,
        hint=f"keep one of them; {marks[0].role} is taken until then",
        related=(Related(cell.index, marks[0].line, str(marks[0])),),
    )


def _unknown(cell: Cell) -> Iterator[Finding]:
    known = ", ".join(_ROLES)
    for tag in cell.tags:
        near = near_role(tag) if tag not in _ROLES else None
        if near is not None:
            message = f'cell {cell.index} is tagged "{tag}"'
            yield _unknown_role(cell, 1, Severity.WARNING, message, f'did you mean "{near}"?')
    for mark in marks_of(cell.source, (), cell.magics):
        if mark.role is None:
            near = near_role(mark.word, _NEAR_WHERE_A_ROLE_IS_MEANT)
            hint = f'did you mean "{near}"?' if near else f"the roles are {known}"
            yield _unknown_role(cell, mark.line, Severity.ERROR, f'cell {cell.index} is marked "{mark.word}"', hint)
    for magic in cell.magics:
        near = near_role(magic.name) if magic.is_cell and magic.name not in _ROLES else None
        if near is not None:
            message = f"cell {cell.index} begins with `%%{magic.name}`"
            yield _unknown_role(cell, magic.line, Severity.WARNING, message, f"did you mean `%%{near}`?")


def _unknown_role(cell: Cell, line: int, severity: Severity, message: str, hint: str) -> Finding:
    return Finding("unknown-role", severity, message, cell.index, cell.id, line, line, hint=hint)
