"""Generated programs: cells of the constructs that make dataflow hard, over plain lists, dicts and frames."""

from __future__ import annotations

import re
from itertools import count

from hypothesis import strategies as st

UNIQUE = "\N{SECTION SIGN}"

SETUP = """\
import os
import pandas as pd
i0, i1, i2 = 1, 2, 3
s0, s1 = [1, 2], [3]
d0, d1 = {'p': 1}, {'p': 2, 'q': 3}
a0 = pd.DataFrame({'x': [1, 2, 3], 'y': [4, 5, 6]})
a1 = a0 * 10
c0, c1 = [a0, a1], [a1.copy(), a0.copy()]
e0 = {'p': a0, 'q': a1}
def f0(p):
    return p
def f1(p):
    return p.copy()
def g0():
    return 1
def g1():
    return i0
class K:
    total = 0
    def __init__(self, v):
        self.v = v
    def add(self, w):
        self.v.append(w + i2)
        return len(s1)
def count_down(n):
    global i2
    if n <= 0:
        return 0
    i2 = i2 + n + 1000
    return count_down(n - 1)
o0 = K(s0)
o1 = K([])"""

NAMES = {
    "i": ("i0", "i1", "i2"), "s": ("s0", "s1"), "d": ("d0", "d1"), "a": ("a0", "a1"), "c": ("c0", "c1"), "e": ("e0",),
    "f": ("f0", "f1"), "g": ("g0", "g1"), "o": ("o0", "o1"),
}  # fmt: skip
"""Names by what they hold; a name holds the same kind of thing throughout a program."""

SIMPLE = (
    "<i> = <i> + <u>", "<i> = len(<s>) + <u>", "<i> = int(<a>['x'].sum()) + <u>", "<i> += <u>", "<i> = <i>",
    "<s> = [<u>, <i>]", "<s>.append(<u>)", "<s> = <s>", "<s> += [<u>]", "<s>[0] = <u>", "<s> = [q + <i> for q in <s>]",
    "<s> = sorted(<s>)", "<s>.insert(0, <u>)", "<s> = [v for v in <s> if v > <i>] + [<u>]", "<s> = list(<s>)",
    "<d>['k'] = <u>", "<d>['k' + str(<i>)] = <u>", "<d> = dict(<d>)", "<d> = <d>", "<d>.update(z=<u>)",
    "<d>.update({'y': <i> + <u>})", "<d>.setdefault('w<u>', <u>)", "<i> = <d>.get('k', <i>)",
    "for key in list(<d>):\n    <d>[key] = <u>", "<d> = {k: v + <i> for k, v in <d>.items()}",
    "<a> = <a>", "<a> = <a>.copy()", "<a>['c<u>'] = <i>", "<a>.loc[0, 'x'] = <u>", "<a>['x'] = <a>['y'] + <u>",
    "<a> = <a>.assign(z=<u>)", "<a>.rename_axis('r<u>', inplace=True)",
    "<a>.insert(0, 'n<u>', <u>)", "<a>['x'] += <u>", "<i> = <a>.shape[0] + <u>",
    "<c> = [<a>, <a>]", "for item in <c>:\n    item['l<u>'] = <u>",
    "for j, item in enumerate(<c>):\n    item['m<u>'] = j",
    "for item, other in zip(<c>, <c>):\n    item['z<u>'] = other['x']", "<c>[0]['n<u>'] = <u>", "<a> = <c>[1]",
    "for item in [<a>, <a>]:\n    item['b<u>'] = <i>", "<c> = [t.copy() for t in <c>]", "<c>.append(<a>)",
    "for item in <c>:\n    item = item.dropna()", "item = <c>[-1]\nitem['i<u>'] = <u>",
    "<e> = {'p': <a>, 'q': <a>}", "for key, item in <e>.items():\n    item['k<u>'] = <u>", "<e>['p']['x'] = <u>",
    "for item in <e>.values():\n    item.loc[1, 'y'] = <u>", "<a> = <e>['q']", "<e>['r<u>'] = <a>",
    "def <f>(p):\n    p['f<u>'] = <u>\n    return p",
    "def <f>(p):\n    p = p.copy()\n    p['f<u>'] = <u>\n    return p",
    "def <f>(p):\n    globals()['i1'] = <u>\n    return p", "def <f>(p):\n    <s>.append(<u>)\n    return p",
    "def <f>(p):\n    return p.assign(q=<i>)", "def <f>(p, k=<i>):\n    p['k<u>'] = k\n    return p",
    "def <f>(p):\n    i0 = <u>\n    return p.assign(w=i0)", "<f> = lambda p: p.assign(v=<i>)",
    "<a> = <f>(<a>)", "<f>(<a>)", "<c> = [<f>(t) for t in <c>]", "<c> = list(map(<f>, <c>))",
    "def <g>():\n    return <i> + len(<s>)", "<g> = lambda: <i> + <u>", "<g> = (lambda v: lambda: v + <i>)(<i>)",
    "def make(v):\n    def inner():\n        return v + <i>\n    return inner\n<g> = make(<i>)",
    "def <g>():\n    n = 0\n    def step():\n        nonlocal n\n        n += <i>\n    step()\n    return n",
    "<i> = <g>()", "<s>.append(<g>() + <u>)", "<s> = [q for q in <s>] + [<g>()]",
    "<o> = K(<s>)", "<o>.add(<u>)", "<i> = <o>.add(<u>)", "<o>.v<u> = <s>", "<s> = <o>.v", "<o> = <o>",
    "<o>.w<u> = <i>",
    "total = sum((<i> := q + <u>) for q in <s>)", "del <i>\n<i> = <u>", "t = f'{<i>:>{len(<s>)}}'",
    "print(<i>, <a>.shape)",
    "<i>, (<s>, *rest) = <u>, [[<i>], <u>]", "globals()['<i>'] = <u>", "x = globals()['<i>']", "exec('<i> = <u>')",
)  # fmt: skip

COMPOUND = (
    "if <i> % 2:\n<B>\nelse:\n<B>", "if <i> % 2:\n<B>", "if <i> > <i>:\n<B>\nelif <i> == 2:\n<B>", "if True:\n<B>",
    "for r in range(<i> % 3):\n<B>", "for r in range(2):\n<B>", "for q in <s>[:3]:\n<B>",
    "for column in <a>.columns[:2]:\n<B>",
    "w = 0\nwhile w < <i> % 3:\n    w += 1\n<B>", "try:\n<B>\n    1 / (<i> % 2)\nexcept ZeroDivisionError:\n<B>",
    "try:\n<B>\nfinally:\n<B>", "with open(os.devnull) as handle:\n<B>",
    "match <i> % 3:\n    case 0:\n<BB>\n    case _:\n<BB>",
    "for r in range(2):\n    if <i> % 2:\n        continue\n<B>",
    "for r in range(2):\n<B>\n    if <i> % 3 == 0:\n        break",
    "count_down(<i> % 3)",
)  # fmt: skip


@st.composite
def statements(draw: st.DrawFn, *, deep: int = 1) -> str:
    """One statement over the names of the setup."""
    compound = deep > 0 and draw(st.integers(0, 4)) == 0
    text = draw(st.sampled_from(COMPOUND if compound else SIMPLE))
    while "<" in text:
        at = text.find("<")
        mark = text[at + 1 : text.find(">", at)] if ">" in text[at:] else ""
        if mark in NAMES:
            made = draw(st.sampled_from(NAMES[mark]))
        elif mark == "u":
            made = UNIQUE
        elif mark in ("B", "BB"):
            made = indented(draw(blocks(deep - 1)), 4 * len(mark))
        else:
            return _with_operators(draw, text, at)
        text = text.replace(f"<{mark}>", made, 1)
    return text


def _with_operators(draw: st.DrawFn, text: str, at: int) -> str:
    """The rest of a text in which a `<` is an operator."""
    rest = text[at + 1 :]
    for mark, names in NAMES.items():
        while f"<{mark}>" in rest:
            rest = rest.replace(f"<{mark}>", draw(st.sampled_from(names)), 1)
    rest = rest.replace("<u>", UNIQUE)
    while "<B>" in rest:
        rest = rest.replace("<B>", indented(draw(blocks(0)), 4), 1)
    return text[: at + 1] + rest


def indented(text: str, width: int) -> str:
    """`text` as the body of a compound statement."""
    return "\n".join(" " * width + line for line in text.split("\n"))


@st.composite
def blocks(draw: st.DrawFn, deep: int = 1) -> str:
    """One to three statements."""
    return "\n".join(draw(st.lists(statements(deep=deep), min_size=1, max_size=3)))


def programs(*, deep: int = 1) -> st.SearchStrategy[list[str]]:
    """Cells, the first of which binds all names; `deep` is how far compound statements nest, 0 for straight code."""
    return st.lists(blocks(deep), min_size=1, max_size=6).map(lambda cells: numbered([SETUP, *cells]))


def numbered(cells: list[str]) -> list[str]:
    """The cells with another number in each place that wants one, so that every write shows."""
    numbers = count(101)
    return [re.sub(UNIQUE, lambda _: str(next(numbers)), cell) for cell in cells]
