/**
 * Marks the notebook's own cells with their role: a coloured edge, and a chip that opens a menu of roles.
 *
 * The chip stands at the end of the cell's node, where it is in the way of no child that JupyterLab adds when a cell
 * comes into view.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { ChipContent } from '../chips';
import { showChip } from '../chips';
import type { CellStore } from '../editor/cell-store';
import { codeCellOf } from '../editor/cell-store';
import type { ICellState, NbprodModel } from '../model';
import type { INote } from '../notes';
import { worstKind } from '../notes';
import { CommandIDs, INbprodModel, INbprodNotes } from '../tokens';

export const cellMarks: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:cell-marks',
  description: 'Marks the cells of the current notebook with their roles.',
  autoStart: true,
  requires: [INbprodModel, INotebookTracker],
  optional: [ITranslator, INbprodNotes],
  activate: (
    app,
    model: NbprodModel,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    notes: CellStore<INote> | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    const open = (cellId: string) => {
      void app.commands.execute(CommandIDs.chooseRole, { cellId });
    };
    const mark = () => {
      const { state } = model;
      const cells = new Map(
        state.kind === 'notebook'
          ? state.cells.map(cell => [cell.id, cell])
          : []
      );
      for (const panel of viewsOf(tracker, model)) {
        for (const { node, model } of panel.content.widgets) {
          const cell = cells.get(model.id);
          const shared = codeCellOf(model);
          const said = shared && notes ? notes.of(shared) : [];
          showChip(node, contentOf(cell, said), open, trans);
        }
      }
    };
    model.refreshed.connect(mark);
    notes?.changed.connect(mark);
  }
};

function contentOf(
  cell: ICellState | undefined,
  notes: readonly INote[]
): ChipContent | null {
  return cell && cell.role !== null
    ? {
        cellId: cell.id,
        index: cell.index,
        role: cell.role,
        findings: notes.length,
        kind: worstKind(notes)
      }
    : null;
}

/** All views of the notebook that the model follows. */
function viewsOf(
  tracker: INotebookTracker,
  model: NbprodModel
): NotebookPanel[] {
  const notebook: object | undefined = model.source?.shared;
  return tracker
    .filter(panel => panel.model?.sharedModel === notebook)
    .filter(panel => !panel.isDisposed);
}
