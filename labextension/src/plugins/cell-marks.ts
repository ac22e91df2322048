/**
 * Marks the notebook's own cells with their role: a chip and a coloured edge.
 *
 * Only attributes are set on the cell's node; the style sheet draws, so that cells which come and go
 * with the scrolling need no care.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { roleLabel } from '../labels';
import type { NbprodModel, NbprodState } from '../model';
import { INbprodModel } from '../tokens';

export const cellMarks: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:cell-marks',
  description: 'Marks the cells of the current notebook with their roles.',
  autoStart: true,
  requires: [INbprodModel, INotebookTracker],
  optional: [ITranslator],
  activate: (
    _app,
    model: NbprodModel,
    tracker: INotebookTracker,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    const mark = (_: NbprodModel, state: NbprodState) => {
      const roles = new Map(
        state.kind === 'notebook'
          ? state.cells.map(cell => [cell.id, cell.role])
          : []
      );
      for (const { node, model } of tracker.currentWidget?.content.widgets ??
        []) {
        const role = roles.get(model.id) ?? null;
        if (role === null) {
          delete node.dataset.nbprodRole;
          delete node.dataset.nbprodLabel;
        } else {
          node.dataset.nbprodRole = role;
          node.dataset.nbprodLabel = roleLabel(role, trans);
        }
      }
    };
    model.stateChanged.connect(mark);
  }
};
