/**
 * Shows the package of the current notebook in a tab of the main area, line by line beside the notebook.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  ICommandPalette,
  MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import React from 'react';

import type { IPreview, IProblem, IStudy, NbprodClient } from '../api';
import { problemOfError } from '../api';
import { ProblemNotice } from '../components/problem';
import { Notice } from '../components/notice';
import type { Highlight, IPlace } from '../components/preview';
import { Preview } from '../components/preview';
import { nbprodIcon } from '../icons';
import type { NbprodModel } from '../model';
import { CommandIDs, INbprodModel, INbprodServer } from '../tokens';

export const preview: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:preview',
  description: 'Shows the package that would be written from the notebook.',
  autoStart: true,
  requires: [
    INbprodServer,
    INbprodModel,
    INotebookTracker,
    IEditorLanguageRegistry
  ],
  optional: [ITranslator, ICommandPalette],
  activate: (
    app,
    client: NbprodClient,
    model: NbprodModel,
    tracker: INotebookTracker,
    languages: IEditorLanguageRegistry,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    const python = languages.findByMIME('text/x-python');
    const highlight: Highlight = (code, element) =>
      languages.highlight(code, python, element);
    const execute = (command: string, args = {}) => {
      void app.commands.execute(command, args);
    };
    const cursor = new Cursor(tracker);
    const open = new WidgetTracker<MainAreaWidget<PreviewBody>>({
      namespace: 'nbprod-preview'
    });

    const bodyOf = (panel: NotebookPanel, version: number | null) => {
      const pathOf = () => panel.context.localPath;
      return new PreviewBody({
        model,
        cursor,
        version,
        path: pathOf,
        ask: () => client.preview(pathOf(), model.content(pathOf()), version),
        draw: body => (
          <>
            {body.problem && (
              <ProblemNotice problem={body.problem} trans={trans} />
            )}
            {body.answer === null && body.problem === null && (
              <Notice title={trans.__('Writing…')} />
            )}
            {body.answer && (
              <Preview
                preview={body.answer}
                ids={idsOf(model, pathOf())}
                // A version's lines stand where they stood then: the one at the cursor may be another by now.
                cursor={version === null ? cursor.at(pathOf()) : null}
                highlight={highlight}
                execute={execute}
                trans={trans}
              />
            )}
          </>
        )
      });
    };

    app.commands.addCommand(CommandIDs.preview, {
      label: args =>
        typeof args.version === 'number'
          ? trans.__('Preview Version %1', args.version)
          : trans.__('Preview Package'),
      isEnabled: () => model.state.kind === 'notebook',
      execute: args => {
        const panel = tracker.currentWidget;
        if (panel === null || model.state.kind !== 'notebook') {
          return;
        }
        const version = typeof args.version === 'number' ? args.version : null;
        const id = `nbprod-preview:${panel.id}:${version ?? 'now'}`;
        let widget = open.find(each => each.id === id);
        if (!widget) {
          const name = panel.context.localPath.split('/').pop() ?? '';
          widget = new MainAreaWidget({ content: bodyOf(panel, version) });
          widget.id = id;
          widget.title.icon = nbprodIcon;
          widget.title.closable = true;
          widget.title.label =
            version === null
              ? trans.__('Package of %1', name)
              : trans.__('v%1 of %2', version, name);
          app.shell.add(widget, 'main', {
            mode: 'split-right',
            ref: panel.id
          });
          void open.add(widget);
        }
        app.shell.activateById(widget.id);
      }
    });
    palette?.addItem({
      command: CommandIDs.preview,
      category: trans.__('Production Pipeline')
    });
  }
};

/** Where the cursor stands in the notebook at hand; one watcher for all previews. */
class Cursor {
  constructor(private readonly _tracker: INotebookTracker) {
    let selections: ISignal<unknown, unknown> | undefined;
    const tell = () => {
      this.moved.emit();
    };
    const follow = () => {
      selections?.disconnect(tell);
      selections = _tracker.activeCell?.editor?.model.selections.changed;
      selections?.connect(tell);
      tell();
    };
    _tracker.activeCellChanged.connect(follow);
    follow();
  }

  readonly moved = new Signal<this, void>(this);

  /** The place, or null where the notebook at `path` is not the one at hand. */
  at(path: string): IPlace | null {
    const panel = this._tracker.currentWidget;
    const cell = panel?.content.activeCell;
    const position = cell?.editor?.getCursorPosition();
    return panel?.context.localPath === path && cell && position
      ? { cellId: cell.model.id, line: position.line + 1 }
      : null;
  }
}

interface IPreviewOptions {
  readonly model: NbprodModel;
  readonly cursor: Cursor;
  /** The version that is shown, or null for what the notebook would give now. */
  readonly version: number | null;
  readonly path: () => string;
  readonly ask: () => Promise<IPreview>;
  readonly draw: (body: PreviewBody) => React.ReactElement;
}

/** The content of the tab: the newest answer of the server, and why there is no newer one. */
class PreviewBody extends ReactWidget {
  constructor(private readonly _options: IPreviewOptions) {
    super();
    this.addClass('nbprod-PreviewBody');
    _options.model.stateChanged.connect(this._follow, this);
    _options.cursor.moved.connect(this._redraw, this);
    this._load();
  }

  answer: IPreview | null = null;
  problem: IProblem | null = null;

  override dispose(): void {
    Signal.clearData(this);
    super.dispose();
  }

  protected override render(): React.ReactElement {
    return this._options.draw(this);
  }

  protected override onAfterShow(): void {
    this._follow();
    this._redraw();
  }

  /** Ask again where the notebook says something new: the text of a version stays as it is. */
  private _follow(): void {
    const { model, version, path } = this._options;
    const { state } = model;
    if (
      version === null &&
      this.isVisible &&
      state.kind === 'notebook' &&
      state.path === path() &&
      !state.isStale &&
      state.study !== this._study
    ) {
      this._load();
    }
  }

  private _redraw(): void {
    if (this.isVisible) {
      this.update();
    }
  }

  private _load(): void {
    const { state } = this._options.model;
    this._study = state.kind === 'notebook' ? state.study : null;
    const asked = ++this._asked;
    const show = (answer: IPreview | null, problem: IProblem | null) => {
      if (asked === this._asked && !this.isDisposed) {
        this.answer = answer ?? this.answer;
        this.problem = problem;
        this.update();
      }
    };
    this._options.ask().then(
      answer => {
        show(answer, null);
      },
      (error: unknown) => {
        show(null, problemOfError(error));
      }
    );
  }

  private _asked = 0;
  private _study: IStudy | null = null;
}

function idsOf(model: NbprodModel, path: string): readonly string[] {
  const { state } = model;
  return state.kind === 'notebook' && state.path === path
    ? state.studiedIds
    : [];
}
