/**
 * Shows learned values after the lines that learned them.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CellStore, codeCellOf, followStore } from '../editor/cell-store';
import { hintMarks, setHints } from '../editor/hint-marks';
import type { IHint } from '../learned';
import { hintsOf } from '../learned';
import type { NbprodModel } from '../model';
import type { Settings } from '../settings';
import { onStudy } from '../studied';
import { INbprodModel, INbprodSettings } from '../tokens';

export const hints: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:hints',
  description: 'Shows learned values after the lines that learned them.',
  autoStart: true,
  requires: [INbprodModel, INbprodSettings, IEditorExtensionRegistry],
  optional: [ITranslator],
  activate: (
    _app,
    model: NbprodModel,
    settings: Settings,
    editors: IEditorExtensionRegistry,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    const store = new CellStore<IHint>();
    onStudy(model, (notebook, study, ids) => {
      store.set(notebook, study ? hintsOf(study, ids) : new Map());
    });
    const applySettings = () => {
      store.isShown = settings.values.hints;
    };
    settings.changed.connect(applySettings);
    applySettings();
    editors.addExtension({
      name: 'nbprod:hints',
      factory: ({ model }) => {
        const cell = codeCellOf(model);
        if (cell === null) {
          return null;
        }
        const extension = [
          hintMarks(
            () => store.of(cell),
            value => trans.__('learned: %1', value)
          ),
          followStore(store, cell, setHints)
        ];
        return { instance: () => extension, reconfigure: () => null };
      }
    });
  }
};
