/**
 * A notebook panel of JupyterLab as the model follows it.
 */
import type { ISharedNotebook } from '@jupyter/ydoc';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import { languageOf } from './language';
import type { INotebookSource } from './model';

/** Joins all that can change about a panel's notebook into one signal. */
export class PanelSource implements INotebookSource, IDisposable {
  constructor(
    readonly panel: NotebookPanel,
    readonly shared: ISharedNotebook
  ) {
    panel.model?.contentChanged.connect(this._emit, this);
    panel.model?.metadataChanged.connect(this._emit, this);
    panel.content.activeCellChanged.connect(this._emit, this);
    panel.context.pathChanged.connect(this._emit, this);
    panel.sessionContext.kernelChanged.connect(this._emit, this);
  }

  readonly changed = new Signal<this, void>(this);

  get path(): string {
    return this.panel.context.localPath;
  }

  get language(): string | null {
    const { session, specsManager } = this.panel.sessionContext;
    const name = session?.kernel?.name;
    const spec = name ? specsManager.specs?.kernelspecs[name] : undefined;
    const { kernelspec, language_info } = this.shared.metadata;
    return languageOf(spec?.language, [
      language_info?.name,
      kernelspec?.language
    ]);
  }

  get activeCellId(): string | null {
    return this.panel.content.activeCell?.model.id ?? null;
  }

  get isReadOnly(): boolean {
    return this.panel.context.contentsModel?.writable === false;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private _emit(): void {
    this.changed.emit();
  }

  private _isDisposed = false;
}
