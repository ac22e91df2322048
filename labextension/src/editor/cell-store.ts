/**
 * What is known of the cells of open notebooks, for the editors to show.
 */
import type { Extension, StateEffectType } from '@codemirror/state';
import { ViewPlugin } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import { Signal } from '@lumino/signaling';

/** A cell as its editor knows it: the notebook is what all views of one file share. */
export interface INotebookCell {
  readonly cell_type: string;
  readonly notebook: object | null;
  getId(): string;
}

/** Lists by notebook and cell id; a cell that is moved or shown in two views keeps its list. */
export class CellStore<T> {
  /** Emitted with the notebook whose lists are others now, or null where that is so of all. */
  readonly changed = new Signal<this, object | null>(this);

  /** Whether anything is to be shown: all lists are empty where not. */
  get isShown(): boolean {
    return this._isShown;
  }
  set isShown(value: boolean) {
    if (value !== this._isShown) {
      this._isShown = value;
      this.changed.emit(null);
    }
  }

  /** Replace what is known of the cells of `notebook`. */
  set(notebook: object, values: ReadonlyMap<string, readonly T[]>): void {
    this._values.set(notebook, values);
    this.changed.emit(notebook);
  }

  /** What is known of a cell. */
  of(cell: INotebookCell): readonly T[] {
    const values =
      this._isShown && cell.notebook
        ? this._values.get(cell.notebook)
        : undefined;
    return values?.get(cell.getId()) ?? [];
  }

  private _isShown = true;
  private readonly _values = new WeakMap<
    object,
    ReadonlyMap<string, readonly T[]>
  >();
}

/** The code cell that an editor's model belongs to, or null: an editor may show a file or a text cell. */
export function codeCellOf(model: CodeEditor.IModel): INotebookCell | null {
  const shared = model.sharedModel as Partial<INotebookCell>;
  return shared.cell_type === 'code' && shared.getId
    ? (shared as INotebookCell)
    : null;
}

/** Tells an editor by `effect` what the store knows of its cell, for as long as the editor lives. */
export function followStore<T>(
  store: CellStore<T>,
  cell: INotebookCell,
  effect: StateEffectType<readonly T[]>
): Extension {
  return ViewPlugin.define(view => {
    let isEmpty = store.of(cell).length === 0;
    const tell = (_: unknown, notebook: object | null) => {
      const concerned = notebook === null || notebook === cell.notebook;
      const values = concerned ? store.of(cell) : [];
      if (concerned && !(isEmpty && values.length === 0)) {
        isEmpty = values.length === 0;
        view.dispatch({ effects: effect.of(values) });
      }
    };
    store.changed.connect(tell);
    return {
      destroy: () => {
        store.changed.disconnect(tell);
      }
    };
  });
}
