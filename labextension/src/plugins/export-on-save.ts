/**
 * Exports a notebook when a person saves it, where that is set.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { INotebookTracker } from '@jupyterlab/notebook';

import type { Settings } from '../settings';
import { CommandIDs, INbprodSettings } from '../tokens';

const SAVES = ['docmanager:save', 'docmanager:save-as'];

export const exportOnSave: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:export-on-save',
  description:
    'Exports a notebook when it is saved by hand, where that is set.',
  autoStart: true,
  requires: [INotebookTracker, INbprodSettings],
  activate: (
    { commands, shell },
    tracker: INotebookTracker,
    settings: Settings
  ) => {
    // The commands, and not the file's own signal: an autosave must not write a version every two minutes.
    commands.commandExecuted.connect((_, { id, result }) => {
      const panel = tracker.currentWidget;
      // What is saved is what has the focus: it may be another file, while the notebook is still the current one.
      if (
        !SAVES.includes(id) ||
        !settings.values.exportOnSave ||
        panel === null ||
        shell.currentWidget !== panel
      ) {
        return;
      }
      void result.then(
        async () => {
          const isSaved = !panel.context.model.dirty;
          if (isSaved && tracker.currentWidget === panel) {
            await commands.execute(CommandIDs.exportPackage);
          }
        },
        () => undefined // JupyterLab has told why it could not be saved.
      );
    });
  }
};
