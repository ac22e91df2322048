"""Dataflow between cells, construct by construct: names that cells define, update and use, and where they come from."""

from __future__ import annotations

import pytest

from nbprod.analysis import Analysis, analyse
from nbprod.notebook import read_text

IMPORTS = "import pandas as pd\nimport numpy as np\nimport somelib"
A = "a = pd.read_csv('a.csv')"
AB = "a = pd.read_csv('a.csv')\nb = pd.read_csv('b.csv')"


def analysis_of(cells: tuple[str, ...], pandas_major: int = 3) -> Analysis:
    """The analysis of a notebook with an import cell and these."""
    text = "".join(f"# %%\n{cell}\n\n" for cell in (IMPORTS, *cells))
    return analyse(read_text(text, "nb.py"), pandas_major=pandas_major)


def flow(cells: tuple[str, ...]) -> set[str]:
    """Edges as `0 -> 1: name`, the first cell given being 0."""
    return {
        f"{edge.source - 1} -> {edge.target - 1}: {name}" for edge in analysis_of(cells).edges for name in edge.names
    }


def edges(text: str) -> set[str]:
    """`0->1 a b, 1->2 c` as the edges of each name."""
    found = set()
    for part in filter(None, (each.strip() for each in text.split(","))):
        arrow, *names = part.split()
        source, _, target = arrow.partition("->")
        found |= {f"{source} -> {target}: {name}" for name in names}
    return found


def case(name: str, expected: str, *cells: str) -> object:
    """A row of a table."""
    return pytest.param(cells, edges(expected), id=name)


ALIASES = [
    case("a frame in a tuple", "0->1 a b, 0->2 b, 1->2 a", AB, "both = (a, b)[0]\nboth['n'] = 1", "a + b"),
    case("the list itself is updated through its frames", "0->1 a b, 1->2 both, 2->3 both", AB, "both = [a, b]",
         "for d in both:\n    d['n'] = 1", "len(both)"),
    case("and through the names of its frames", "0->1 a b, 0->2 a, 2->3 both", AB, "both = [a, b]", "a['n'] = 1",
         "len(both)"),
    case("enumerate over frames", "0->1 a b, 1->2 b", AB, "for i, d in enumerate([a, b]):\n    d['n'] = i", "b.head()"),
    case("zip over frames", "0->1 a b, 1->2 a", AB, "for d, k in zip([a, b], [1, 2]):\n    d['n'] = k", "a.head()"),
    case("a dict's values", "0->1 a b, 1->2 frames, 2->3 a", AB, "frames = {'a': a, 'b': b}",
         "for d in frames.values():\n    d['n'] = 1", "a.head()"),
    case("a dict's items", "0->1 a b, 1->2 frames, 2->3 b", AB, "frames = {'a': a, 'b': b}",
         "for k, d in frames.items():\n    d['n'] = k", "b.head()"),
    case("one of a dict by its key", "0->1 a b, 1->2 frames, 2->3 a, 0->4 b", AB, "frames = {'a': a, 'b': b}",
         "frames['a']['n'] = 1", "a.head()", "b.head()"),
    case("one of a list by its position", "0->1 a b, 1->2 both, 0->3 a, 2->4 b", AB, "both = [a, b]",
         "both[1]['n'] = 1", "a.head()", "b.head()"),
    case("a list of lists", "0->1 a b, 1->2 both, 2->3 a", AB, "both = [[a], [b]]",
         "for part in both:\n    for d in part:\n        d.drop(columns='x', inplace=True)", "a.head()"),
    case("an alias of an alias", "0->1 a, 1->2 b, 2->3 c, 3->4 a", A, "b = a", "c = b", "c['n'] = 1", "a.head()"),
    case("a method's result is another frame", "0->1 a, 1->2 b, 0->3 a", A, "b = a.drop(columns='x')",
         "b['n'] = 1", "a.head()"),
    case("chained assignment gives two names to one", "0->1 b, 1->2 a", "a = b = pd.DataFrame()", "b['n'] = 1",
         "a.head()"),
    case("a conditional expression", "0->1 a b, 1->2 c, 2->3 a", AB, "c = a if len(a) > 3 else b", "c['n'] = 1",
         "a.head()"),
    case("an element put into a list", "0->1 a, 1->2 both, 2->3 a", A, "both = []\nboth.append(a)",
         "both[0]['n'] = 1", "a.head()"),
    case("an element of a list that is not known", "0->1 parts, 1->2 parts",
         "parts = [pd.read_csv(f) for f in somelib.files()]", "for d in parts:\n    d['n'] = 1", "len(parts)"),
    case("unpacking", "0->1 both, 1->2 x, 2->3 both", "both = [pd.DataFrame(), pd.DataFrame()]", "x, y = both",
         "x['n'] = 1", "both"),
    case("an attribute of an instance", "0->1 a, 1->2 box, 2->3 a", A,
         "class Box:\n    pass\nbox = Box()\nbox.d = a", "box.d['n'] = 1", "a.head()"),
]  # fmt: skip

FUNCTIONS = [
    case("changes its argument", "0->2 a, 1->2 f, 2->3 a", A, "def f(d):\n    d.drop(columns='x', inplace=True)",
         "f(a)", "a"),
    case("changes it by keyword", "0->2 a, 1->2 f, 2->3 a", A, "def f(d):\n    d['n'] = 1", "f(d=a)", "a"),
    case("changes one of two", "0->2 a b, 1->2 f, 2->3 b, 0->4 a", AB, "def f(d, e):\n    e['n'] = len(d)",
         "f(a, b)", "b", "a"),
    case("changes what it gets in a list", "0->2 a b, 1->2 f, 2->3 a", AB,
         "def f(frames):\n    for d in frames:\n        d['n'] = 1", "f([a, b])", "a"),
    case("changes star arguments",
         "0->2 a b, 1->2 f, 2->3 a", AB, "def f(*frames):\n    for d in frames:\n        d['n'] = 1",
         "f(a, b)", "a"),
    case("rebinds its parameter",
         "0->2 a, 1->2 f, 0->3 a", A, "def f(d):\n    d = d.dropna()\n    d['n'] = 1\n    return d", "f(a)", "a"),
    case("returns its argument", "0->2 a, 1->2 f, 2->3 b, 3->4 a", A, "def f(d):\n    return d", "b = f(a)",
         "b['n'] = 1", "a"),
    case("reads a global", "0->2 k, 1->2 f", "k = 1", "def f():\n    return k", "f()"),
    case("reads the latest global", "1->3 f, 2->3 k", "k = 1", "def f():\n    return k", "k = 2", "f()"),
    case("writes a global", "1->2 f, 2->3 k", "k = 1", "def f():\n    global k\n    k = 2", "f()", "k"),
    case("changes a global list", "0->2 seen, 1->2 f, 2->3 seen", "seen = []", "def f(x):\n    seen.append(x)",
         "f(1)", "seen"),
    case("calls another that reads a global", "0->3 k, 1->3 f, 2->3 g", "k = 1", "def f():\n    return k",
         "def g():\n    return f()", "g()"),
    case("is only defined", "", "k = 1", "def f():\n    return k"),
    case("has a local of the same name", "1->2 f", "k = 1", "def f():\n    k = 2\n    return k", "f()"),
    case("reads a default when it is defined", "0->1 k, 1->3 f", "k = 1", "def f(x=k):\n    return x", "k = 2", "f()"),
    case("is recursive", "0->2 k, 1->2 f", "k = 1", "def f(n):\n    return k if n == 0 else f(n - 1)",
         "f(somelib.n())"),
    case("two call each other", "0->2 k, 1->2 even odd", "k = 0",
         "def even(n):\n    return n == k or odd(n - 1)\ndef odd(n):\n    return n != k and even(n - 1)",
         "even(somelib.n())"),
    case("a nested one changes the outer's argument", "0->2 a, 1->2 f, 2->3 a", A,
         "def f(d):\n    def inner():\n        d['n'] = 1\n    inner()", "f(a)", "a"),
    case("nonlocal", "0->1 f",
         "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    g()\n    return n", "f()"),
    case("a closure reads at its call", "0->2 k, 1->2 g", "k = 1", "def f():\n    return lambda: k\ng = f()", "g()"),
    case("a caller's local is not seen", "0->2 k, 1->2 f g", "k = 1",
         "def f():\n    return k\ndef g():\n    k = 5\n    return f() + k", "g()"),
    case("a lambda that captures", "0->2 k, 1->2 f", "k = 1", "f = lambda x: x + k", "f(2)"),
    case("a lambda given to apply", "0->2 a, 1->2 k", A, "k = 1", "c = a['x'].apply(lambda v: v + k)"),
    case("a function given to apply", "0->3 a, 1->3 k, 2->3 f", A, "k = 1", "def f(v):\n    return v + k",
         "a['x'].apply(f)"),
    case("a function given to a library", "0->2 k, 1->2 f", "k = 1", "def f(v):\n    return v + k", "somelib.run(f)"),
    case("a callback that keeps something", "0->2 seen, 1->2 f, 2->3 seen", "seen = []",
         "def f(v):\n    seen.append(v)",
         "somelib.run(f)", "seen"),
    case("a decorator of the notebook", "0->3 k, 1->2 twice, 2->3 f", "k = 1",
         "def twice(g):\n    def inner(x):\n        return g(x) * k\n    return inner",
         "@twice\ndef f(x):\n    return x", "f(1)"),
    case("a function kept in a dict", "0->2 k, 1->2 fs", "k = 1", "fs = {'f': lambda: k}", "fs['f']()"),
    case("a function under another name", "0->3 k, 1->2 f, 2->3 g", "k = 1", "def f():\n    return k", "g = f", "g()"),
    case("annotations", "0->1 T", "T = int", "def f(x: T) -> T:\n    return x"),
    case("a generator", "0->2 k, 1->2 f", "k = 1", "def f():\n    yield k", "list(f())"),
]  # fmt: skip

COUNTER = (
    "class Counter:\n    def __init__(self):\n        self.n = start\n    def add(self):\n        self.n += step\n"
)

CLASSES = [
    case("a body reads at once", "0->1 k", "k = 1", "class A:\n    size = k"),
    case("names of a body are its own", "0->2 k", "k = 1", "class A:\n    k = 2", "k"),
    case("a method reads at its call", "0->2 start, 1->2 Counter, 2->3 c, 0->3 step",
         "start = 0\nstep = 1", COUNTER, "c = Counter()", "c.add()"),
    case("a method changes its instance", "0->2 start, 1->2 Counter, 2->3 c, 0->3 step, 3->4 c",
         "start = 0\nstep = 1", COUNTER,
         "c = Counter()", "c.add()", "print(c.n)"),
    case("an inherited method", "0->1 A, 1->2 c, 0->2 k", "k = 1\nclass A:\n    def f(self):\n        return k",
         "class B(A):\n    pass\nc = B()", "c.f()"),
    case("a static method", "0->1 A k", "k = 1\nclass A:\n    @staticmethod\n    def f():\n        return k", "A.f()"),
    case("a method that changes its argument", "0->2 a, 1->2 c, 2->3 a", A,
         "class P:\n    def run(self, d):\n        d['n'] = 1\nc = P()", "c.run(a)", "a"),
    case("an attribute set from outside", "0->1 C, 1->2 C", "class C:\n    rate = 1", "C.rate = 2", "C.rate"),
    case("an estimator of the notebook", "0->3 k a, 1->2 m, 2->3 m", "k = 1\n" + A,
         "class M:\n    def fit(self, x):\n        pass\n    def predict(self, x):\n        return x * k\nm = M()",
         "m.fit(somelib.x())", "m.predict(a)"),
]  # fmt: skip

SCOPES = [
    case("a comprehension's name is its own", "0->1 n", "n = 3", "[n for i in range(n)]\n[i for i in range(2)]"),
    case("a comprehension reads from outside", "0->1 k", "k = 1", "s = [i * k for i in range(3)]"),
    case("a nested comprehension", "0->1 rows", "rows = [[1]]", "s = [c for r in rows for c in r]"),
    case("a condition of one", "0->1 k", "k = 1", "s = {i: 1 for i in range(3) if i > k}"),
    case("a walrus leaks", "0->1 y", "s = [y := i for i in range(3)]", "y"),
    case("a walrus in a condition", "0->1 n, 1->2 m", "n = 3", "if (m := n + 1) > 2:\n    pass", "m"),
    case("a lambda's parameter", "", "x = 1", "f = lambda x: x"),
    case("a loop variable lives on", "0->1 i", "for i in range(3):\n    pass", "i"),
    case("an f-string's format", "0->1 x w", "x = 1\nw = 5", "print(f'{x:{w}}')"),
    case("a builtin's name taken", "0->1 list", "list = [1]", "list"),
    case("an exception's name", "0->1 x", "x = {}", "try:\n    x['a']\nexcept KeyError as e:\n    print(e)"),
]  # fmt: skip

CONDITIONS = [
    case("both branches define", "0->1 c, 1->2 z", "c = input()\nz = 0", "if c:\n    z = 1\nelse:\n    z = 2", "z"),
    case("one branch defines", "0->1 c, 0->2 z, 1->2 z", "c = input()\nz = 0", "if c:\n    z = 1", "z"),
    case("one branch defines from the old value", "0->1 c z, 1->2 z", "c = input()\nz = 0", "if c:\n    z = z + 1",
         "z"),
    case("read behind it in the same cell", "0->1 c z", "c = input()\nz = 0", "if c:\n    z = 1\nprint(z)"),
    case("read behind both in the same cell", "0->1 c", "c = input()\nz = 0",
         "if c:\n    z = 1\nelse:\n    z = 2\nprint(z)"),
    case("a branch that is not taken", "0->2 z", "z = 0", "if False:\n    z = 1", "z"),
    case("an update in a branch", "0->1 a c, 1->2 a", A + "\nc = input()", "if c:\n    a['n'] = 1", "a"),
    case("elif without else", "0->1 c, 0->2 z, 1->2 z", "c = input()\nz = 0",
         "if c == 1:\n    z = 1\nelif c == 2:\n    z = 2", "z"),
    case("a loop over data is taken to run", "0->1 a, 1->2 z", A + "\nz = 0", "for c in a.columns:\n    z = 1", "z"),
    case("a loop over nothing does not run", "0->2 z", "z = 0", "for c in []:\n    z = 1", "z"),
    case("a while loop may not run", "0->1 n, 0->2 z, 1->2 z", "n = int(input())\nz = 0",
         "while n > 3:\n    z = 1\n    n -= 1", "z"),
    case("while True runs", "1->2 z", "z = 0", "while True:\n    z = 1\n    break", "z"),
    case("try and except", "1->2 z", "z = 0", "try:\n    z = somelib.f()\nexcept ValueError:\n    z = None", "z"),
    case("try and pass", "0->2 z, 1->2 z", "z = 0", "try:\n    z = somelib.f()\nexcept ValueError:\n    pass", "z"),
    case("finally always runs", "1->2 z", "z = 0", "try:\n    somelib.f()\nfinally:\n    z = 1", "z"),
    case("the body of a with", "1->2 z", "z = 0", "with open('f') as f:\n    z = f.read()", "z"),
    case("match with a default", "0->1 c, 1->2 z", "c = input()\nz = 0",
         "match c:\n    case 'a':\n        z = 1\n    case _:\n        z = 2", "z"),
    case("match without one", "0->1 c, 0->2 z, 1->2 z", "c = input()\nz = 0",
         "match c:\n    case 'a':\n        z = 1", "z"),
    case("a match's own names", "0->1 c, 1->2 rest", "c = [1, 2]",
         "match c:\n    case [first, *rest]:\n        pass", "rest"),
    case("else of a loop", "1->2 z", "z = 0", "for i in range(3):\n    pass\nelse:\n    z = 1", "z"),
]  # fmt: skip

WRITES = [
    case("an item of a dict", "0->1 d, 1->2 d", "d = {}", "d['a'] = 1", "d"),
    case("an item of a dict in a dict", "0->1 d, 1->2 d", "d = {'x': {}}", "d['x']['a'] = 1", "d"),
    case("extend, insert, sort", "0->1 s, 1->2 s, 2->3 s", "s = [2]", "s.extend([1])", "s.sort()", "s"),
    case("a set's add", "0->1 s, 1->2 s", "s = set()", "s.add(1)", "s"),
    case("a dict's update", "0->1 s, 1->2 s", "s = {}", "s.update(a=1)", "s"),
    case("a dict's setdefault", "0->1 s, 1->2 s", "s = {}", "s.setdefault('a', 1)", "s"),
    case("reading methods are none", "0->1 s, 0->2 s", "s = {}", "s.get('a'), s.keys(), s.items()", "s"),
    case("a list augmented", "0->1 s, 1->2 t", "s = t = [1]", "s += [2]", "t"),
    case("del of an item", "0->1 d, 1->2 d", "d = {'a': 1}", "del d['a']", "d"),
    case("del of a name is no use", "", "x = 1", "del x"),
    case("a name deleted and bound again", "1->2 x", "x = 1", "del x\nx = 2", "x"),
    case("an attribute of an unknown thing", "0->1 m, 1->2 m", "m = somelib.Model()", "m.rate = 1", "m"),
    case("a layer of an unknown thing", "0->1 m, 1->2 m", "m = somelib.Model()",
         "for part in m.parts:\n    part.on = False", "m"),
    case("fit of an unknown thing", "0->1 m, 1->2 m", "m = somelib.Model()", "h = m.fit([1])", "m"),
    case("add, compile of an unknown thing", "0->1 m, 1->2 m, 2->3 m", "m = somelib.Model()", "m.add(1)",
         "m.compile()", "m"),
    case("predict of an unknown thing", "0->1 m, 0->2 m", "m = somelib.Model()", "m.predict([1])", "m"),
    case("a sum of unknown things", "0->1 m, 0->2 m", "m = somelib.Model()", "k = m.add(1)", "m"),
    case("columns of a counter", "0->1 c, 1->2 c", "from collections import defaultdict\nc = defaultdict(list)",
         "c['a'].append(1)", "c"),
    case("shuffle", "0->1 s, 1->2 s", "import random\ns = [1, 2]", "random.shuffle(s)", "s"),
    case("an element of an array", "0->1 x, 1->2 x", "x = np.zeros(3)", "x[0] = 1", "x"),
    case("pop gives and changes", "0->1 a, 1->2 a, 1->3 y", A, "y = a.pop('y')", "a", "y"),
    case("insert", "0->1 a, 1->2 a", A, "a.insert(0, 'n', 1)", "a"),
    case("names of columns", "0->1 a, 1->2 a", A, "a.columns = a.columns.str.lower()", "a"),
    case("the name of the index", "0->1 a, 1->2 a", A, "a.index.name = 'id'", "a"),
    case("at and iat", "0->1 a, 1->2 a, 2->3 a", A, "a.at[0, 'x'] = 1", "a.iat[0, 0] = 2", "a"),
    case("a mask is only read", "0->1 a m, 1->2 a, 0->3 m", A + "\nm = a.x > 1", "a.loc[m, 'x'] = 0", "a", "m"),
    case("eval in place", "0->1 a, 1->2 a", A, "a.eval('n = x + y', inplace=True)", "a"),
    case("a plot changes nothing", "0->1 a, 0->2 a", A, "a['x'].plot(); a.hist()", "a"),
    case("a figure changes nothing", "0->1 ax, 0->2 ax",
         "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()", "ax.set_title('t')", "ax"),
    case("printing changes nothing", "0->1 a, 0->2 a", A, "print(a.describe())", "a"),
    case("an unknown function changes nothing", "0->1 a, 0->2 a", A, "b = somelib.clean(a)", "a"),
]  # fmt: skip


@pytest.mark.parametrize("cells, expected", [*ALIASES, *FUNCTIONS, *CLASSES, *SCOPES, *CONDITIONS, *WRITES])
def test_edges(cells: tuple[str, ...], expected: set[str]) -> None:
    assert flow(cells) == expected
