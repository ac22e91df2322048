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
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { IPreview, IProblem } from '../api';
import { ApiError, NbprodClient } from '../api';
import { Notice } from '../components/notice';
import type { Highlight, IPlace } from '../components/preview';
import { Preview } from '../components/preview';
import { nbprodIcon } from '../icons';
import type { NbprodModel } from '../model';
import { CommandIDs, INbprodModel } from '../tokens';

export const preview: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:preview',
  description: 'Shows the package that would be written from the notebook.',
  autoStart: true,
  requires: [INbprodModel, INotebookTracker, IEditorLanguageRegistry],
  optional: [ITranslator, ICommandPalette],
  activate: (
    app,
    model: NbprodModel,
    tracker: INotebookTracker,
    languages: IEditorLanguageRegistry,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    const client = new NbprodClient(app.serviceManager.serverSettings);
    const python = languages.findByMIME('text/x-python');
    const highlight: Highlight = (code, element) =>
      languages.highlight(code, python, element);
    const open = new WidgetTracker<MainAreaWidget<PreviewBody>>({
      namespace: 'nbprod-preview'
    });

    const bodyOf = (path: string, version: number | null): PreviewBody => {
      const execute = (command: string, args = {}) => {
        void app.commands.execute(command, args);
      };
      const draw = (body: PreviewBody) =>
        body.answer ? (
          <Preview
            preview={body.answer}
            ids={idsOf(model, path)}
            cursor={cursorOf(tracker, path)}
            highlight={highlight}
            execute={execute}
            trans={trans}
          />
        ) : (
          <Notice title={body.problem?.message ?? trans.__('Writing…')}>
            {body.problem?.hint}
          </Notice>
        );
      const body = new PreviewBody(draw, () =>
        client.preview(path, model.content(path), version)
      );
      const load = () => void body.load();
      const follow = () => {
        // The text at a version never changes; that of the notebook does with every study of it.
        if (
          version === null &&
          model.state.kind === 'notebook' &&
          model.state.path === path &&
          !model.state.isStale &&
          model.state.study !== body.study
        ) {
          body.study = model.state.study;
          load();
        }
        body.update();
      };
      model.stateChanged.connect(follow);
      body.disposed.connect(() => model.stateChanged.disconnect(follow));
      const atCursor = () => {
        body.update();
      };
      const panel = tracker.currentWidget;
      const watch = () => {
        panel?.content.activeCell?.editor?.model.selections.changed.connect(
          atCursor
        );
        body.update();
      };
      panel?.content.activeCellChanged.connect(watch);
      body.disposed.connect(() =>
        panel?.content.activeCellChanged.disconnect(watch)
      );
      watch();
      load();
      return body;
    };

    app.commands.addCommand(CommandIDs.preview, {
      label: args =>
        typeof args.version === 'number'
          ? trans.__('Preview Version %1', args.version)
          : trans.__('Preview Package'),
      isEnabled: () => model.state.kind === 'notebook',
      execute: args => {
        if (model.state.kind !== 'notebook') {
          return;
        }
        const { path } = model.state;
        const version = typeof args.version === 'number' ? args.version : null;
        const id = `nbprod-preview:${path}:${version ?? 'now'}`;
        let widget = open.find(each => each.id === id);
        if (!widget) {
          const name = path.split('/').pop() ?? path;
          widget = new MainAreaWidget({ content: bodyOf(path, version) });
          widget.id = id;
          widget.title.icon = nbprodIcon;
          widget.title.closable = true;
          widget.title.label =
            version === null
              ? trans.__('Package of %1', name)
              : trans.__('v%1 of %2', version, name);
          app.shell.add(widget, 'main', {
            mode: 'split-right',
            ref: tracker.currentWidget?.id ?? null
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

/** The content of the tab: the answer of the server, or why there is none. */
class PreviewBody extends ReactWidget {
  constructor(
    private readonly _draw: (body: PreviewBody) => React.ReactElement,
    private readonly _ask: () => Promise<IPreview>
  ) {
    super();
    this.addClass('nbprod-PreviewBody');
  }

  answer: IPreview | null = null;
  problem: IProblem | null = null;
  study: unknown = null;

  async load(): Promise<void> {
    const asked = ++this._asked;
    let answer: IPreview | null = null;
    let problem: IProblem | null = null;
    try {
      answer = await this._ask();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      problem = error.problem;
    }
    if (asked === this._asked && !this.isDisposed) {
      this.answer = answer;
      this.problem = problem;
      this.update();
    }
  }

  protected render(): React.ReactElement {
    return this._draw(this);
  }

  private _asked = 0;
}

function idsOf(model: NbprodModel, path: string): readonly string[] {
  const { state } = model;
  return state.kind === 'notebook' && state.path === path
    ? state.studiedIds
    : [];
}

function cursorOf(tracker: INotebookTracker, path: string): IPlace | null {
  const panel = tracker.currentWidget;
  const cell = panel?.content.activeCell;
  const position = cell?.editor?.getCursorPosition();
  return panel?.context.localPath === path && cell && position
    ? { cellId: cell.model.id, line: position.line + 1 }
    : null;
}
