/**
 * Exports a notebook when a person saves it, where that is set.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import type { NbprodModel } from '../model';
import type { Settings } from '../settings';
import { CommandIDs, INbprodModel, INbprodSettings } from '../tokens';

const SAVES = ['docmanager:save', 'docmanager:save-as', 'docmanager:save-all'];

export const exportOnSave: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:export-on-save',
  description:
    'Exports a notebook when it is saved by hand, where that is set.',
  autoStart: true,
  requires: [INbprodModel, INbprodSettings],
  activate: ({ commands }, model: NbprodModel, settings: Settings) => {
    // The commands, and not the file's own signal: an autosave must not write a version every two minutes.
    commands.commandExecuted.connect((_, { id, result }) => {
      if (
        SAVES.includes(id) &&
        settings.values.exportOnSave &&
        model.state.kind === 'notebook' &&
        commands.hasCommand(CommandIDs.exportPackage)
      ) {
        void result.then(() => commands.execute(CommandIDs.exportPackage));
      }
    });
  }
};
