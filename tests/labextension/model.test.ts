import { YNotebook } from '@jupyter/ydoc';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type {
  IInspectedCell,
  INbprodClient,
  IStudy
} from '../../labextension/src/api';
import { ApiError } from '../../labextension/src/api';
import type {
  INotebookSource,
  INotebookState
} from '../../labextension/src/model';
import { NbprodModel } from '../../labextension/src/model';

const SOURCES = [
  'import pandas as pd',
  "df = pd.read_csv('a.csv')\ndf.head()",
  'model.fit(X, y)'
];

/** A shared notebook: a heading, then one code cell for each source. */
function notebook(sources = SOURCES): YNotebook {
  const shared = new YNotebook();
  shared.addCell({ cell_type: 'markdown', source: '# Title' });
  for (const source of sources) {
    shared.addCell({ cell_type: 'code', source });
  }
  return shared;
}

/** A notebook as JupyterLab would hand it over. */
class Source implements INotebookSource {
  constructor(
    readonly shared: YNotebook,
    readonly path = 'a.ipynb'
  ) {}
  readonly changed = new Signal<this, void>(this);
  language: string | null = 'python';
  activeCellId: string | null = null;
  isReadOnly = false;
  edit(change: () => void): void {
    change();
    this.changed.emit();
    vi.advanceTimersByTime(100);
  }
}

/** A client that notes what it was asked and answers with one known cell after the other. */
class Client implements INbprodClient {
  constructor(private readonly _cells: Partial<IInspectedCell>[] = []) {}
  readonly asked: {
    path: string;
    content: { cells: { outputs?: unknown }[] };
  }[] = [];
  failure: ApiError | null = null;
  async study(path: string, content: never): Promise<IStudy> {
    this.asked.push({ path, content });
    if (this.failure) {
      throw this.failure;
    }
    return {
      notebook: path,
      schema: 1,
      findings: [],
      edges: [],
      plan: null,
      plan_error: null,
      check: {
        name: 'a',
        version: null,
        verdict: 'not-exported',
        divergences: []
      },
      features: [],
      left_out: [],
      cells: this._cells.map((cell, index) => ({
        index,
        id: `made-up-${index}`,
        role: null,
        marked_by: null,
        suggestion: null,
        steps: [],
        defines: [],
        updates: [],
        uses: [],
        ...cell
      }))
    };
  }
}

const SUGGESTION = {
  role: 'data',
  confidence: 0.9,
  reason: 'reads a file'
} as const;

let model: NbprodModel;

function start(
  source: INotebookSource | null,
  client: INbprodClient = new Client()
): NbprodModel {
  model = new NbprodModel({ client });
  model.source = source;
  return model;
}

function cells(): INotebookState['cells'] {
  expect(model.state.kind).toBe('notebook');
  return (model.state as INotebookState).cells;
}

/** Time for a pause in typing and for the answer after it. */
const settled = () => vi.advanceTimersByTimeAsync(1000);
const idAt = (index: number): string => cells()[index]?.id ?? '';
const roles = () => cells().map(cell => cell.role);
const tagsAt = (shared: YNotebook, index: number) =>
  shared.getCell(index + 1).getMetadata('tags');

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  model.dispose();
  vi.useRealTimers();
});

describe('a notebook that is still to be read', () => {
  it('is named, until it is there or another one is current', () => {
    start(null);
    model.pending = 'b.ipynb';
    expect(model.state).toEqual({ kind: 'unread', path: 'b.ipynb' });
    model.source = new Source(notebook());
    expect(model.state.kind).toBe('notebook');
    model.pending = null;
    model.source = null;
    expect(model.state).toEqual({ kind: 'no-notebook' });
  });
});

describe('a notebook that may not be written', () => {
  it('takes no role', async () => {
    const source = new Source(notebook());
    source.isReadOnly = true;
    start(source, new Client([{ suggestion: SUGGESTION }]));
    await settled();
    expect(model.isTaggable(model.cell(idAt(0)))).toBe(false);
    model.acceptSuggestions();
    expect(roles()).toEqual([null, null, null]);
    expect((model.state as INotebookState).isReadOnly).toBe(true);
  });
});

describe('cells that are drawn anew', () => {
  it('are told of although nothing of the state is another', async () => {
    const source = new Source(notebook());
    start(source);
    await settled();
    const told = vi.fn();
    const changed = vi.fn();
    model.refreshed.connect(told);
    model.stateChanged.connect(changed);
    source.edit(() => undefined);
    expect(told).toHaveBeenCalledTimes(1);
    expect(changed).not.toHaveBeenCalled();
  });

  it('are the same objects where they say the same', async () => {
    const source = new Source(notebook());
    start(source);
    await settled();
    const before = cells();
    source.edit(() => source.shared.getCell(2).setSource('other'));
    expect(cells()[0]).toBe(before[0]);
    expect(cells()[1]).not.toBe(before[1]);
  });
});

describe('what the model shows', () => {
  it('shows that no notebook is open', () => {
    expect(start(null).state).toEqual({ kind: 'no-notebook' });
  });

  it('shows that the notebook is not in Python', () => {
    const source = new Source(notebook());
    source.language = 'r';
    expect(start(source).state).toEqual({
      kind: 'other-language',
      path: 'a.ipynb',
      language: 'r'
    });
  });

  it('takes a notebook without a kernel as Python', () => {
    const source = new Source(notebook());
    source.language = null;
    expect(start(source).state.kind).toBe('notebook');
  });

  it('lists the code cells in order with their first line that says something', () => {
    start(new Source(notebook(['\n  x = 1\ny = 2', ''])));
    expect(cells().map(cell => [cell.index, cell.firstLine])).toEqual([
      [0, 'x = 1'],
      [1, '']
    ]);
  });

  it.each([
    ['its code, not its comments', '# Clean\ndf = f(df)', 'df = f(df)'],
    [
      'what it does, not what it imports',
      'import os\nfrom a import b\nx = 1',
      'x = 1'
    ],
    [
      'what it does, not a magic or shell line',
      '%matplotlib inline\n!ls\nx = 1',
      'x = 1'
    ],
    [
      'an import, where there is nothing else',
      '# Tools\nimport os',
      'import os'
    ],
    [
      'names that an import has on lines of their own',
      'from a import (\n  b,\n  c\n)\nx = 1',
      'x = 1'
    ],
    ['a comment, where there is nothing else', '# Later', '# Later'],
    ['a name that only begins like an import', 'imports = 1', 'imports = 1']
  ])('calls a cell by %s', (_, source, expected) => {
    start(new Source(notebook([source])));
    expect(cells()[0]?.firstLine).toBe(expected);
  });

  it('follows edits, new cells and moved cells', () => {
    const source = new Source(notebook());
    start(source);
    source.edit(() => {
      source.shared.getCell(1).setSource('import numpy');
      source.shared.moveCell(3, 1);
      source.shared.addCell({ cell_type: 'code', source: 'last' });
    });
    expect(cells().map(cell => cell.firstLine)).toEqual([
      'model.fit(X, y)',
      'import numpy',
      "df = pd.read_csv('a.csv')",
      'last'
    ]);
  });

  it('names the roles where a cell is tagged with several', () => {
    const shared = notebook();
    shared.getCell(1).setMetadata('tags', ['train', 'data']);
    start(new Source(shared));
    expect(cells()[0]?.conflict).toEqual(['train', 'data']);
  });

  it('says nothing when nothing that it shows has changed', () => {
    const source = new Source(notebook());
    start(source);
    const heard = vi.fn();
    model.stateChanged.connect(heard);
    source.edit(() => undefined);
    expect(heard).not.toHaveBeenCalled();
  });

  it('forgets the notebook that was left', async () => {
    const first = new Source(notebook());
    start(first, new Client([{}, { suggestion: SUGGESTION }]));
    await settled();
    model.source = new Source(notebook(['x = 1', 'y = 2']), 'b.ipynb');
    expect(cells().map(cell => cell.suggestion)).toEqual([null, null]);
    first.edit(() => first.shared.getCell(1).setSource('changed'));
    expect(cells()[0]?.firstLine).toBe('x = 1');
  });
});

describe('setting a role', () => {
  it('writes the plain tag, beside the other tags', () => {
    const shared = notebook();
    shared.getCell(2).setMetadata('tags', ['slow']);
    start(new Source(shared));
    model.setRole(idAt(1), 'data');
    expect(tagsAt(shared, 1)).toEqual(['slow', 'data']);
    expect(roles()).toEqual([null, 'data', null]);
  });

  it('leaves no empty list of tags behind when the role is cleared', () => {
    const shared = notebook();
    start(new Source(shared));
    model.setRole(idAt(0), 'data');
    model.setRole(idAt(0), null);
    expect(shared.getCell(1).toJSON().metadata).not.toHaveProperty('tags');
  });

  it.each([
    ['undo of the document', false],
    ['undo by cell, as JupyterLab has it', true]
  ])(
    'can be undone and done again, with %s',
    (_, disableDocumentWideUndoRedo) => {
      const shared = new YNotebook({ disableDocumentWideUndoRedo });
      shared.addCell({
        cell_type: 'code',
        source: 'x = 1',
        metadata: { tags: ['slow'] }
      });
      shared.clearUndoHistory();
      start(new Source(shared));
      model.setRole(idAt(0), 'train');
      shared.undo();
      expect(shared.getCell(0).getMetadata('tags')).toEqual(['slow']);
      shared.redo();
      expect(shared.getCell(0).getMetadata('tags')).toEqual(['slow', 'train']);
    }
  );

  it('takes over all suggestions in one step for undo', async () => {
    const shared = notebook();
    shared.clearUndoHistory();
    start(
      new Source(shared),
      new Client([
        {},
        { suggestion: SUGGESTION },
        { suggestion: { ...SUGGESTION, role: 'train' } }
      ])
    );
    await settled();
    model.acceptSuggestions();
    expect(roles()).toEqual([null, 'data', 'train']);
    shared.undo();
    expect([1, 2].map(index => tagsAt(shared, index))).toEqual([
      undefined,
      undefined
    ]);
  });
});

describe('what the server is asked', () => {
  it('brings suggestions to untagged cells, by the order of the cells', async () => {
    const shared = notebook();
    shared.getCell(1).setMetadata('tags', ['explore']);
    start(
      new Source(shared),
      new Client([{ suggestion: SUGGESTION }, { suggestion: SUGGESTION }])
    );
    await settled();
    expect(cells().map(cell => cell.suggestion)).toEqual([
      null,
      SUGGESTION,
      null
    ]);
  });

  it('brings roles that the cell’s text states, which are not to be tagged over', async () => {
    start(
      new Source(notebook()),
      new Client([
        { role: 'features', marked_by: 'magic' },
        { role: 'data', marked_by: 'tag' }
      ])
    );
    await settled();
    expect(roles()).toEqual(['features', null, null]);
    expect(cells().map(cell => model.isTaggable(cell))).toEqual([
      false,
      true,
      true
    ]);
  });

  it('is asked once for many edits, and with no outputs', async () => {
    const source = new Source(notebook());
    const client = new Client();
    start(source, client);
    for (const text of ['a', 'ab', 'abc']) {
      source.edit(() => source.shared.getCell(1).setSource(text));
    }
    await settled();
    expect(client.asked).toHaveLength(1);
    expect(client.asked[0]?.content.cells[1]).toMatchObject({
      source: 'abc',
      outputs: []
    });
  });

  it('is asked once the person has paused, counted from the last key', async () => {
    const source = new Source(notebook());
    const client = new Client();
    start(source, client);
    await settled();
    model.studyDelay = 300;
    source.edit(() => source.shared.getCell(1).setSource('a')); // 100 ms go by.
    source.edit(() => source.shared.getCell(1).setSource('ab'));
    await vi.advanceTimersByTimeAsync(190);
    expect(client.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(20);
    expect(client.asked).toHaveLength(2);
  });

  it('is asked again when a cell has run: findings go by the order of the runs', async () => {
    const source = new Source(notebook());
    const client = new Client();
    start(source, client);
    await settled();
    source.edit(() => {
      const cell = source.shared.getCell(1);
      if ('execution_count' in cell) {
        cell.execution_count = 7;
      }
    });
    await settled();
    expect(client.asked).toHaveLength(2);
    expect(client.asked[1]?.content.cells[1]).toMatchObject({
      execution_count: 7,
      outputs: []
    });
  });

  it('is not asked when only the active cell is another', async () => {
    const source = new Source(notebook());
    const client = new Client();
    start(source, client);
    await settled();
    source.edit(() => {
      source.activeCellId = idAt(2);
    });
    await settled();
    expect(client.asked).toHaveLength(1);
  });

  it.each(['unreachable', 'server-failed', 'superseded'])(
    'is asked again by itself after %s',
    async code => {
      const client = new Client([{ suggestion: SUGGESTION }]);
      client.failure = new ApiError({ code, message: code, hint: null });
      start(new Source(notebook()), client);
      await vi.advanceTimersByTimeAsync(400);
      client.failure = null;
      await vi.advanceTimersByTimeAsync(4000);
      expect((model.state as INotebookState).problem).toBeNull();
      expect(cells()[0]?.suggestion).toEqual(SUGGESTION);
    }
  );

  it('tells nobody that a newer question was asked', async () => {
    const client = new Client();
    client.failure = new ApiError({
      code: 'superseded',
      message: 'a newer question',
      hint: null
    });
    start(new Source(notebook()), client);
    await vi.advanceTimersByTimeAsync(400);
    expect((model.state as INotebookState).problem).toBeNull();
  });

  it('is not asked again for another view of the same notebook', async () => {
    const client = new Client([{ suggestion: SUGGESTION }]);
    const shared = notebook();
    start(new Source(shared), client);
    await settled();
    model.source = new Source(shared);
    expect(cells()[0]?.suggestion).toEqual(SUGGESTION);
    await settled();
    expect(client.asked).toHaveLength(1);
  });

  it('may fail: the list stays, with the reason, until it answers again', async () => {
    const source = new Source(notebook());
    const client = new Client();
    const problem = { code: 'server-missing', message: '404', hint: null };
    client.failure = new ApiError(problem);
    start(source, client);
    await settled();
    model.setRole(idAt(0), 'explore');
    expect(roles()).toEqual(['explore', null, null]);
    await settled();
    expect((model.state as INotebookState).problem).toEqual(problem);
    client.failure = null;
    await model.refresh();
    expect((model.state as INotebookState).problem).toBeNull();
  });

  it('may answer late: an answer about an older text is dropped', async () => {
    const source = new Source(notebook());
    const answers: ((inspection: IStudy) => void)[] = [];
    start(source, {
      study: () => new Promise(resolve => answers.push(resolve))
    });
    await settled();
    source.edit(() => source.shared.getCell(1).setSource('newer'));
    await settled();
    const answer = (await new Client([{ suggestion: SUGGESTION }]).study(
      '',
      {} as never
    )) as IStudy;
    answers[1]?.({ ...answer, cells: [] });
    answers[0]?.(answer);
    await settled();
    expect(answers).toHaveLength(2);
    expect(cells()[0]?.suggestion).toBeNull();
  });
});
