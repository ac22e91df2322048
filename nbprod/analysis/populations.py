"""Which rows two pieces of data have in common, told from how the rows of each were chosen.

Each choice among rows (a filter, a split, a sample) adds a link to the chain of a `Rows`. So a table holds every table
whose chain begins with its own, and two tables that went through different choices from the same table are taken as
apart. A link that begins with `+` made copies of rows, or rows like them; a link `group` stands for each group of a
table in turn, and a link `each` for what a loop chooses in each of its rounds.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from nbprod.analysis.tabular import EACH, FOLD
from nbprod.analysis.values import Rows, common

COPIES = "+"


def holds(a: Rows, b: Rows) -> bool:
    """Whether the rows of `b` are among those of `a`."""
    return any(_holds(one, other) for one in _readings(a) for other in _readings(b))


def _readings(rows: Rows) -> tuple[Rows, ...]:
    """The rows as they were chosen; where the first or last of a few tables was taken back, as rows of that table too.

    `both = pd.concat([train, test])`, then `both[:len(train)]` and `both[len(train):]`.
    """
    first = rows.chain[0].partition(":")[0] if rows.chain else ""
    if not rows.mix or first not in ("head", "tail"):
        return (rows,)
    part = rows.mix[0 if first == "head" else -1]
    return rows, *_readings(replace(part, chain=(*part.chain, *rows.chain[1:])))


def _holds(a: Rows, b: Rows) -> bool:
    if a.root == b.root and a.mix == b.mix:
        return b.chain[: len(a.chain)] == a.chain
    if b.mix and all(holds(a, part) for part in b.mix):
        return True
    return bool(a.mix) and not a.chain and any(holds(part, b) for part in a.mix)


def meet(a: Rows, b: Rows) -> bool:
    """Whether one of two tables holds the other."""
    return holds(a, b) or holds(b, a)


def seen_by(trained: Rows, asked: Rows) -> bool:
    """Whether a model has learned from the rows that it is asked for, or from others made of the same ones.

    Two times made more of the rows of one side of a split, they are no rows of a test; but parts of what was made more
    of before a split are.
    """
    first = originals(trained)
    if first is trained or not set_apart(first) or _copied_together(trained, asked):
        return meet(trained, asked)
    return meet(trained, asked) or holds(first, originals(asked))


def reach(a: Rows, b: Rows) -> bool:
    """Whether rows of `b` are among those of `a`, which may be a choice that was made without regard to a later split.

    A mask takes rows of what a random split then puts on both of its sides.
    """
    return meet(a, b) or any(_before_split(one, other) for one in _readings(a) for other in _readings(b))


def _before_split(a: Rows, b: Rows) -> bool:
    if a.root != b.root or a.mix != b.mix:
        return False
    apart = next((n for n, link in enumerate(a.chain) if b.chain[n : n + 1] != (link,)), None)
    if apart is None or apart >= len(b.chain):
        return False
    return _is_split(b.chain[apart:]) and not _is_split(a.chain[apart:])


def set_apart(rows: Rows) -> bool:
    """Whether other rows of the same table were left for a test: by a split, or by taking a first or last part."""
    return rows.side != "all" or any(link.startswith(("head:", "tail:")) for link in rows.chain)


def table_of(rows: Rows) -> int:
    """The raw table of rows; of those that were taken back from two tables put together, the one they came from."""
    return _readings(rows)[-1].root


def of_fold(rows: Rows) -> bool:
    """Whether rows are a part of one round of a cross-validation."""
    return any(link.startswith(f"{FOLD}:") for link in rows.chain)


def _is_split(chain: tuple[str, ...]) -> bool:
    return any(link.startswith("split:") for link in chain)


def overlap(a: Rows, b: Rows) -> bool:
    """Whether the same rows, or copies of them, stand in both."""
    if meet(a, b):
        return True
    first, second = originals(a), originals(b)
    if first is not a and (_copied_together(a, b) or meet(first, b)):
        return True
    return second is not b and meet(a, second)


def drawn_apart(a: Rows, b: Rows) -> bool:
    """Whether two tables were chosen from one without regard to each other, one of them by a random split.

    Rows that a split of the whole table sets aside are among those that another choice takes, and the other way round.
    """
    if a.root != b.root or meet(a, b) or _follows(a, b) or _follows(b, a):
        return False
    return any(_part_at_split(one, other) for one in _sources(a) for other in _sources(b))


def of_one_split(a: Rows, b: Rows) -> bool:
    """Whether two tables are the sides of a split of one table, or of two splits that are written alike."""
    if (
        a.root != b.root
        or a.mix != b.mix
        or not a.chain
        or len(a.chain) != len(b.chain)
        or a.chain[:-1] != b.chain[:-1]
    ):
        return False
    return a.chain[-1].startswith("split:") and a.chain[-1].rpartition(":")[0] == b.chain[-1].rpartition(":")[0]


def _follows(a: Rows, b: Rows) -> bool:
    """Whether the rows of `a` were chosen with the split of `b` at hand."""
    return b.split >= 0 and bool(a.fit >> b.split & 1)


def _sources(rows: Rows) -> tuple[Rows, ...]:
    """The rows as they were chosen, and as those of each of the tables that were put together for them."""
    parts = (replace(part, chain=(*part.chain, *rows.chain)) for part in rows.mix)
    return rows, *(each for part in parts for each in _sources(part))


def _part_at_split(a: Rows, b: Rows) -> bool:
    if a.root != b.root or a.mix != b.mix:
        return False
    one, other = (link[:2] for link in _first_apart(a, b, []))
    known = all(link and link[0] in CHOICES for link in (one, other))
    return known and one != other and "split" in (one[0], other[0])


CHOICES = frozenset({"drop_duplicates", "dropna", "filter", "sample", "slice", "split"})
"""Links of choices of which it is known that they have regard to nothing but the table and the values in it."""


def apart(a: Rows, b: Rows) -> bool:
    """Whether no row stands in both, nor a copy of one: what two random splits put aside has rows in common."""
    if overlap(a, b):
        return False
    if a.root != b.root or a.mix != b.mix:
        return True
    one, other = _first_apart(a, b)
    return one[:2] == other[:2] or "split" not in (one[0], other[0])


def parts(a: Rows, b: Rows) -> bool:
    """Whether two tables are parts of one: sides of one split, or slices of which one is at an end of the table."""
    if a.root != b.root or a.mix != b.mix or not apart(a, b):
        return False
    one, other = _first_apart(a, b)
    return one[:2] == other[:2] or bool({one[0], other[0]} & {"head", "tail"})


def _first_apart(a: Rows, b: Rows, end: list[str] | None = None) -> tuple[list[str], list[str]]:
    """What each of two tables of one was chosen by where they part; `end` where nothing more was chosen."""
    at = len(common(a.chain, b.chain))
    one, other = (rows.chain[at].split(":") if end is None or at < len(rows.chain) else end for rows in (a, b))
    return one, other


def _copied_together(a: Rows, b: Rows) -> bool:
    at = _first_copy(a)
    return a.root == b.root and a.mix == b.mix and a.chain[: at + 1] == b.chain[: at + 1]


def _first_copy(rows: Rows) -> int:
    return next((n for n, link in enumerate(rows.chain) if link.startswith(COPIES)), len(rows.chain))


def originals(rows: Rows) -> Rows:
    """The rows that copies were made of; `rows` itself where there are none."""
    mix = tuple(originals(part) for part in rows.mix)
    at = _first_copy(rows)
    same = all(new is old for new, old in zip(mix, rows.mix, strict=True))
    return rows if same and at == len(rows.chain) else replace(rows, mix=mix, chain=rows.chain[:at])


def _of_groups(a: Rows, b: Rows) -> bool:
    """Whether a loop collects groups, or what it chooses in each round: others than those that were added before."""
    if a.mix and not a.chain and a.mix != b.mix:
        return all(_of_groups(part, b) or not overlap(part, b) for part in a.mix)
    both = common(a.chain, b.chain)
    return a.root == b.root and a.mix == b.mix and any(link.startswith(("group:", f"{EACH}:")) for link in both)


def has_copies(rows: Rows) -> bool:
    """Whether copies of rows are among these rows."""
    return originals(rows) is not rows


def one_below_the_other(parts: Sequence[Rows], digest: str) -> Rows:
    """The rows of several tables together: with copies where one of them holds rows of another."""
    first = parts[0]
    fit = 0
    for part in parts:
        fit |= part.fit
    pairs = [(a, b) for n, a in enumerate(parts) for b in parts[n + 1 :]]
    apart = all(_of_groups(a, b) or not overlap(a, b) for a, b in pairs)
    chain = () if apart and not any(has_copies(part) for part in parts) else (f"{COPIES}concat:{digest}",)
    side = first.side if all(part.side == first.side for part in parts) else "all"
    mix = tuple(replace(part, numbered=-1) for part in parts)
    return replace(first, side=side, fit=fit, digest=digest, chain=chain, mix=mix, numbered=-1)
