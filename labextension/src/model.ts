/**
 * The one state of the extension: the active notebook's cells with their roles, live.
 */
import type { ISharedCell, ISharedNotebook } from '@jupyter/ydoc';
import type * as nbformat from '@jupyterlab/nbformat';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  INbprodClient,
  IProblem,
  IStudy,
  ISuggestion,
  MarkedBy
} from './api';
import { problemOfError } from './api';
import { isPython } from './language';
import type { Role } from './roles';
import { rolesOf, withRole } from './roles';

/** The notebook that the model follows; `changed` says that anything of it may be another. */
export interface INotebookSource {
  readonly path: string;
  readonly shared: ISharedNotebook;
  /** The kernel's language, or null while it is not known. */
  readonly language: string | null;
  readonly activeCellId: string | null;
  /** Whether the file may not be written. */
  readonly isReadOnly: boolean;
  readonly changed: ISignal<unknown, unknown>;
}

/** One code cell as the panels show it; `index` counts code cells from 0. */
export interface ICellState {
  readonly id: string;
  readonly index: number;
  readonly firstLine: string;
  readonly role: Role | null;
  readonly markedBy: MarkedBy | null;
  /** The role names in the cell's tags where there are several, else nothing. */
  readonly conflict: readonly Role[];
  readonly suggestion: ISuggestion | null;
}

/** A Python notebook and what is known of it. */
export interface INotebookState {
  readonly kind: 'notebook';
  readonly path: string;
  readonly cells: readonly ICellState[];
  readonly activeCellId: string | null;
  /** Whether the file may not be written: nothing can be set then. */
  readonly isReadOnly: boolean;
  /** What the server makes of the notebook: of the last content that it was asked about, or null before. */
  readonly study: IStudy | null;
  /** The ids of the code cells that `study` speaks of, by their index in it. */
  readonly studiedIds: readonly string[];
  /** Whether the notebook was edited since `study`. */
  readonly isStale: boolean;
  /** Why the server extension could not tell more, or null. */
  readonly problem: IProblem | null;
}

/** What the panels show. */
export type NbprodState =
  | { readonly kind: 'no-notebook' }
  | { readonly kind: 'unread'; readonly path: string }
  | {
      readonly kind: 'other-language';
      readonly path: string;
      readonly language: string;
    }
  | INotebookState;

/** An answer that says that a newer question was asked: it is no fault. */
const SUPERSEDED = 'superseded';
/** Problems that go away by themselves: the question is asked again. */
const PASSING = new Set(['unreachable', 'server-failed', SUPERSEDED]);
/** Milliseconds until a question that found no answer is asked again. */
const RETRY_DELAY = 3000;

/** Follows one notebook at a time, writes roles into it, and asks the server what it makes of it. */
export class NbprodModel implements IDisposable {
  constructor(options: NbprodModel.IOptions) {
    this._client = options.client;
    this._rowsDelay = options.rowsDelay ?? 50;
    this._studyDelay = options.studyDelay ?? 150;
  }

  get state(): NbprodState {
    return this._state;
  }

  get stateChanged(): ISignal<this, NbprodState> {
    return this._stateChanged;
  }

  /** Emitted after each look at the notebook, also where nothing of the state is another: its cells may be drawn anew. */
  get refreshed(): ISignal<this, void> {
    return this._refreshed;
  }

  get source(): INotebookSource | null {
    return this._source;
  }
  set source(source: INotebookSource | null) {
    if (source === this._source) {
      return;
    }
    this._source?.changed.disconnect(this._scheduleRefresh, this);
    // Another view of the same notebook: what is known of it holds.
    if (source === null || source.shared !== this._source?.shared) {
      this._forget();
    }
    this._source = source;
    this._changedAt = Date.now();
    source?.changed.connect(this._scheduleRefresh, this);
    this._refresh();
  }

  /** The path of the notebook that is still to be read, while there is no source; null where there is none. */
  get pending(): string | null {
    return this._pending;
  }
  set pending(path: string | null) {
    if (path !== this._pending) {
      this._pending = path;
      this._refresh();
    }
  }

  /** How long to wait after an edit before the server is asked, in milliseconds. */
  get studyDelay(): number {
    return this._studyDelay;
  }
  set studyDelay(delay: number) {
    this._studyDelay = delay;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.source = null;
    Signal.clearData(this);
  }

  /** The cell of this id, or the active cell where no id is given. */
  cell(id?: string): ICellState | null {
    if (this._state.kind !== 'notebook') {
      return null;
    }
    const wanted = id ?? this._state.activeCellId;
    return this._state.cells.find(cell => cell.id === wanted) ?? null;
  }

  /** The notebook at `path` as it stands in the editor, without outputs, or null where it is not the one followed. */
  content(path: string): nbformat.INotebookContent | null {
    const source = this._source;
    return source?.path === path ? contentOf(source.shared) : null;
  }

  /** Whether a person may give this cell a role by tag: a comment or magic in its text goes before. */
  isTaggable(cell: ICellState | null): cell is ICellState {
    return (
      cell !== null &&
      this._source?.isReadOnly === false &&
      cell.markedBy !== 'comment' &&
      cell.markedBy !== 'magic'
    );
  }

  /** Write `role` as a tag of the cell, or clear it with null; one step for undo. */
  setRole(id: string, role: Role | null): void {
    this._write(new Map([[id, role]]));
  }

  /** Write the suggested roles as tags, of one cell or of all that have a suggestion; one step for undo. */
  acceptSuggestions(id?: string): void {
    if (this._state.kind !== 'notebook' || this._state.isReadOnly) {
      return;
    }
    const roles = new Map<string, Role>();
    for (const cell of this._state.cells) {
      if (cell.suggestion && (id === undefined || cell.id === id)) {
        roles.set(cell.id, cell.suggestion.role);
      }
    }
    this._write(roles);
  }

  private _write(roles: ReadonlyMap<string, Role | null>): void {
    const shared = this._source?.shared;
    if (!shared || roles.size === 0) {
      return;
    }
    shared.transact(() => {
      for (const cell of shared.cells) {
        const role = roles.get(cell.getId());
        if (role !== undefined) {
          writeTags(cell, withRole(cell.getMetadata('tags'), role));
        }
      }
    }, true);
    this._refresh();
  }

  /** Compute the state from the notebook, and ask the server anew where the notebook says something new. */
  private _refresh(): void {
    clearTimeout(this._rowsTimer);
    this._rowsTimer = undefined;
    const source = this._source;
    if (source === null) {
      this._setState(
        this._pending === null
          ? { kind: 'no-notebook' }
          : { kind: 'unread', path: this._pending }
      );
      return;
    }
    const { path, language } = source;
    if (language !== null && !isPython(language)) {
      this._setState({ kind: 'other-language', path, language });
      return;
    }
    const cells = codeCells(source.shared);
    const meaning = meaningOf(path, cells);
    this._setState({
      kind: 'notebook',
      path,
      cells: kept(
        cells.map((cell, index) =>
          cellState(cell, index, this._inspected.get(cell.getId()))
        ),
        this._state
      ),
      activeCellId: source.activeCellId,
      isReadOnly: source.isReadOnly,
      study: this._study,
      studiedIds: this._studiedIds,
      isStale: meaning !== this._studied,
      problem: this._problem
    });
    if (meaning !== this._meaning) {
      this._meaning = meaning;
      // A person waits from the key on, and not from here.
      this._askIn(this._studyDelay - (Date.now() - this._changedAt));
    }
    this._refreshed.emit();
  }

  private _askIn(delay: number): void {
    clearTimeout(this._studyTimer);
    this._studyTimer = setTimeout(
      () => {
        this._askUnlessTyping();
      },
      Math.max(delay, 0)
    );
  }

  /** Ask the server, unless the notebook was edited a moment ago: that edit puts the question off again. */
  private _askUnlessTyping(): void {
    const { _meaning } = this;
    if (this._rowsTimer !== undefined) {
      this._refresh();
    }
    if (this._meaning === _meaning) {
      void this.refresh();
    }
  }

  /** Ask the server again, whether or not the notebook has changed: its package may have. */
  async refresh(): Promise<void> {
    if (this._source !== null && this._state.kind === 'notebook') {
      await this._ask(this._source);
    }
  }

  private async _ask(source: INotebookSource): Promise<void> {
    const asked = ++this._asked;
    const meaning = this._meaning;
    const ids = codeCells(source.shared).map(cell => cell.getId());
    let study: IStudy | null = null;
    let problem: IProblem | null = null;
    try {
      study = await this._client.study(source.path, contentOf(source.shared));
    } catch (error) {
      problem = problemOfError(error);
    }
    if (asked !== this._asked) {
      return; // A newer question, or another notebook, is under way.
    }
    if (study !== null) {
      // Old notebooks store no ids: the order at the time of the question joins the two sides.
      this._inspected = new Map(
        study.cells.map(cell => [ids[cell.index] ?? cell.id, cell])
      );
      this._study = study;
      this._studiedIds = ids;
      this._studied = meaning;
    }
    if (problem !== null && PASSING.has(problem.code)) {
      this._askIn(problem.code === SUPERSEDED ? 0 : RETRY_DELAY);
    }
    if (problem?.code !== SUPERSEDED) {
      this._problem = problem;
    }
    this._refresh();
  }

  private _forget(): void {
    clearTimeout(this._rowsTimer);
    clearTimeout(this._studyTimer);
    this._rowsTimer = undefined;
    this._asked++;
    this._meaning = '';
    this._studied = '';
    this._study = null;
    this._studiedIds = [];
    this._inspected = new Map();
    this._problem = null;
  }

  private _scheduleRefresh(): void {
    this._changedAt = Date.now();
    this._rowsTimer ??= setTimeout(() => {
      this._refresh();
    }, this._rowsDelay);
  }

  private _setState(state: NbprodState): void {
    if (!isSame(state, this._state)) {
      this._state = state;
      this._stateChanged.emit(state);
    }
  }

  private readonly _client: INbprodClient;
  private readonly _rowsDelay: number;
  private _studyDelay: number;
  private readonly _stateChanged = new Signal<this, NbprodState>(this);
  private readonly _refreshed = new Signal<this, void>(this);
  private _state: NbprodState = { kind: 'no-notebook' };
  private _source: INotebookSource | null = null;
  private _pending: string | null = null;
  private _inspected = new Map<string, IStudy['cells'][number]>();
  private _study: IStudy | null = null;
  private _studiedIds: readonly string[] = [];
  private _studied = '';
  private _problem: IProblem | null = null;
  private _meaning = '';
  private _asked = 0;
  /** When the notebook changed last, in milliseconds. */
  private _changedAt = 0;
  private _rowsTimer: ReturnType<typeof setTimeout> | undefined;
  private _studyTimer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}

/** What belongs to `NbprodModel`. */
export namespace NbprodModel {
  /** What a model is made from; delays are in milliseconds. */
  export interface IOptions {
    client: INbprodClient;
    rowsDelay?: number;
    studyDelay?: number;
  }
}

/** Whether two states show the same; a study is compared by identity, as it is large and never changes. */
function isSame(a: NbprodState, b: NbprodState): boolean {
  const studyOf = (state: NbprodState) =>
    state.kind === 'notebook' ? state.study : null;
  const rest = (state: NbprodState) =>
    JSON.stringify({ ...state, study: undefined });
  return studyOf(a) === studyOf(b) && rest(a) === rest(b);
}

function codeCells(shared: ISharedNotebook): ISharedCell[] {
  return shared.cells.filter(cell => cell.cell_type === 'code');
}

function cellState(
  cell: ISharedCell,
  index: number,
  inspected: IStudy['cells'][number] | undefined
): ICellState {
  const tagged = rolesOf(cell.getMetadata('tags'));
  // The tags are read here, so that the list is live without the server; what the text says, the server reads.
  const written =
    inspected?.marked_by === 'comment' || inspected?.marked_by === 'magic'
      ? inspected
      : null;
  const role = written?.role ?? tagged[0] ?? null;
  return {
    id: cell.getId(),
    index,
    firstLine: firstLine(cell.getSource()),
    role,
    markedBy: role === null ? null : (written?.marked_by ?? 'tag'),
    conflict: tagged.length > 1 ? tagged : [],
    suggestion: role === null ? (inspected?.suggestion ?? null) : null
  };
}

const COMMENT = /^#/;
/** Imports, magics, shell lines and comments: other lines say more of a cell. */
const SAYS_LITTLE = /^(#|[%!]|(import|from)\s)/;

/** The names of an import that goes over several lines. */
const IMPORTED_NAMES = /(?<=^from\s.*)\([^)]*\)/gm;

/** The line by which a person knows the cell again. */
function firstLine(source: string): string {
  const lines = source
    .replace(IMPORTED_NAMES, '(…)')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
  const without = (pattern: RegExp) => lines.find(line => !pattern.test(line));
  return without(SAYS_LITTLE) ?? without(COMMENT) ?? lines[0] ?? '';
}

function writeTags(cell: ISharedCell, tags: string[]): void {
  if (tags.length > 0) {
    cell.setMetadata('tags', tags);
  } else {
    cell.deleteMetadata('tags');
  }
}

/** The cells, with the objects of the state before where they say the same: what is drawn of them stays. */
function kept(
  cells: readonly ICellState[],
  before: NbprodState
): readonly ICellState[] {
  const known = before.kind === 'notebook' ? before.cells : [];
  const old = new Map(known.map(cell => [cell.id, cell]));
  const made = cells.map(cell => {
    const other = old.get(cell.id);
    return other && JSON.stringify(other) === JSON.stringify(cell)
      ? other
      : cell;
  });
  const isSame =
    made.length === known.length &&
    made.every((cell, index) => cell === known[index]);
  return isSame ? known : made;
}

/** What a study depends on: text, tags, and the counts by which findings tell the order of the runs. */
function meaningOf(path: string, cells: readonly ISharedCell[]): string {
  return JSON.stringify([
    path,
    cells.map(cell => [
      cell.getId(),
      cell.getSource(),
      cell.getMetadata('tags') ?? null,
      countOf(cell)
    ])
  ]);
}

function countOf(cell: ISharedCell): number | null {
  return 'execution_count' in cell ? cell.execution_count : null;
}

/** The notebook as it stands, without its outputs: these may be large, and are not even copied. */
function contentOf(shared: ISharedNotebook): nbformat.INotebookContent {
  const hasIds = shared.nbformat > 4 || shared.nbformat_minor > 4;
  return {
    metadata: shared.metadata,
    nbformat: shared.nbformat,
    nbformat_minor: shared.nbformat_minor,
    cells: shared.cells.map(cell => ({
      cell_type: cell.cell_type,
      ...(hasIds ? { id: cell.getId() } : {}),
      metadata: cell.getMetadata(),
      source: cell.getSource(),
      ...(cell.cell_type === 'code'
        ? { execution_count: countOf(cell), outputs: [] }
        : {})
    }))
  } as nbformat.INotebookContent;
}
