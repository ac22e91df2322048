/**
 * Shows findings, refusals and divergences in the cells' editors.
 */
import type { EditorView } from '@codemirror/view';
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import {
  CodeMirrorEditor,
  IEditorExtensionRegistry
} from '@jupyterlab/codemirror';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { cardOf, sentenceOf } from '../editor/card';
import { CellStore, codeCellOf, followStore } from '../editor/cell-store';
import { noteCards, openCard } from '../editor/note-card';
import { noteGutter } from '../editor/note-gutter';
import {
  allMarks,
  marksBetween,
  noteMarks,
  setNotes
} from '../editor/note-marks';
import type { NbprodModel } from '../model';
import type { INote } from '../notes';
import { notesOf } from '../notes';
import type { ICellLine } from '../places';
import { neighbour } from '../places';
import type { Settings } from '../settings';
import { onStudy } from '../studied';
import {
  CommandIDs,
  INbprodModel,
  INbprodNotes,
  INbprodSettings
} from '../tokens';

export const diagnostics: JupyterFrontEndPlugin<CellStore<INote>> = {
  id: 'nbprod:diagnostics',
  description: 'Shows what nbprod finds at the lines of the cells.',
  autoStart: true,
  requires: [
    INbprodModel,
    INbprodSettings,
    INotebookTracker,
    IEditorExtensionRegistry
  ],
  optional: [ITranslator, ICommandPalette],
  provides: INbprodNotes,
  activate: (
    app,
    model: NbprodModel,
    settings: Settings,
    tracker: INotebookTracker,
    editors: IEditorExtensionRegistry,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    const store = new CellStore<INote>();
    onStudy(model, (notebook, study, ids) => {
      store.set(notebook, study ? notesOf(study, ids, trans) : new Map());
    });
    const applySettings = () => {
      store.isShown = settings.values.diagnostics;
    };
    settings.changed.connect(applySettings);
    applySettings();

    const makeCard = (notes: readonly INote[]) =>
      cardOf(
        notes,
        ({ cellId, line }) => {
          void app.commands.execute(CommandIDs.goToCell, { cellId, line });
        },
        trans
      );
    editors.addExtension({
      name: 'nbprod:diagnostics',
      factory: ({ model }) => {
        const cell = codeCellOf(model);
        if (cell === null) {
          return null;
        }
        const extension = [
          noteMarks(() => store.of(cell)),
          noteGutter(
            (state, from, to) =>
              marksBetween(state, from, to)
                .map(({ note }) => sentenceOf(note, trans))
                .join('\n'),
            openCard
          ),
          noteCards(makeCard),
          followStore(store, cell, setNotes)
        ];
        return { instance: () => extension, reconfigure: () => null };
      }
    });

    const step = async (direction: 1 | -1) => {
      const panel = tracker.currentWidget;
      const place =
        panel && neighbour(placesOf(panel, store), cursorOf(panel), direction);
      const cell = place && panel.content.widgets[place.cell];
      if (cell) {
        await app.commands.execute(CommandIDs.goToCell, {
          cellId: cell.model.id,
          line: place.line
        });
        const view = viewOf(panel, place.cell);
        if (view) {
          openCard(view, view.state.doc.line(place.line).from);
        }
      }
    };
    app.commands.addCommand(CommandIDs.nextFinding, {
      label: trans.__('Go to Next Finding'),
      isEnabled: () => tracker.currentWidget !== null,
      execute: () => step(1)
    });
    app.commands.addCommand(CommandIDs.previousFinding, {
      label: trans.__('Go to Previous Finding'),
      isEnabled: () => tracker.currentWidget !== null,
      execute: () => step(-1)
    });
    for (const command of [
      CommandIDs.nextFinding,
      CommandIDs.previousFinding
    ]) {
      palette?.addItem({ command, category: trans.__('Production Pipeline') });
    }
    return store;
  }
};

/** Where the notebook's notes stand now: as the editors moved them, or as they came where a cell has no editor yet. */
function placesOf(panel: NotebookPanel, store: CellStore<INote>): ICellLine[] {
  return panel.content.widgets.flatMap((widget, cell) => {
    const view = viewOf(panel, cell);
    const shared = codeCellOf(widget.model);
    const lines = view
      ? allMarks(view.state).map(
          mark => view.state.doc.lineAt(mark.from).number
        )
      : shared
        ? store.of(shared).map(note => note.line)
        : [];
    return lines.map(line => ({ cell, line }));
  });
}

/** The line of the cursor; in command mode, the place before the active cell's first line. */
function cursorOf(panel: NotebookPanel): ICellLine {
  const { activeCell, activeCellIndex, mode } = panel.content;
  const line = activeCell?.editor?.getCursorPosition().line;
  return {
    cell: activeCellIndex,
    line: mode === 'edit' && line !== undefined ? line + 1 : 0
  };
}

function viewOf(panel: NotebookPanel, cell: number): EditorView | null {
  const editor = panel.content.widgets[cell]?.editor;
  return editor instanceof CodeMirrorEditor ? editor.editor : null;
}
