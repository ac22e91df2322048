/**
 * Provides the model and lets it follow the current notebook.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';

import { NbprodClient } from '../api';
import { NbprodModel } from '../model';
import { PackageModel } from '../package';
import { PanelSource } from '../source';
import { INbprodModel, INbprodServer, IPackageModel } from '../tokens';

/** The one client of the server extension. */
export const server: JupyterFrontEndPlugin<NbprodClient> = {
  id: 'nbprod:server',
  description: 'Asks the server extension.',
  autoStart: true,
  provides: INbprodServer,
  activate: app => new NbprodClient(app.serviceManager.serverSettings)
};

/** The package of the notebook that the model follows. */
export const packageModel: JupyterFrontEndPlugin<PackageModel> = {
  id: 'nbprod:package',
  description: 'Knows versions, runs and readiness of the current notebook.',
  autoStart: true,
  requires: [INbprodServer, INbprodModel, INotebookTracker],
  provides: IPackageModel,
  activate: (
    app,
    client: NbprodClient,
    model: NbprodModel,
    tracker: INotebookTracker
  ) => {
    const made = new PackageModel({ client });
    const follow = () => {
      const { state } = model;
      made.path = state.kind === 'notebook' && state.study ? state.path : null;
    };
    model.stateChanged.connect(follow);
    made.jobEnded.connect(() => void model.refresh());
    // The checklist goes by what is saved, and by the configuration.
    tracker.widgetAdded.connect((_, panel) => {
      panel.context.saveState.connect((context, saving) => {
        if (saving === 'completed' && context.localPath === made.path) {
          void made.refresh();
        }
      });
    });
    app.serviceManager.contents.fileChanged.connect((_, { newValue }) => {
      if (newValue?.path?.endsWith('.toml')) {
        void made.refresh();
        void model.refresh();
      }
    });
    follow();
    return made;
  }
};

export const model: JupyterFrontEndPlugin<NbprodModel> = {
  id: 'nbprod:model',
  description: 'Follows the current notebook and knows the roles of its cells.',
  autoStart: true,
  requires: [INbprodServer, INotebookTracker],
  provides: INbprodModel,
  activate: (_app, client: NbprodClient, tracker: INotebookTracker) => {
    const model = new NbprodModel({ client });
    let source: PanelSource | null = null;

    const take = (next: PanelSource | null) => {
      const previous = source;
      source = next;
      model.source = source;
      previous?.dispose();
    };
    const follow = async () => {
      const panel = tracker.currentWidget;
      const isUnread = panel !== null && !panel.context.isReady;
      model.pending = isUnread ? panel.context.localPath : null;
      if (isUnread) {
        take(null);
      }
      await panel?.context.ready; // Never, where the file can't be read.
      if (panel !== tracker.currentWidget || panel === source?.panel) {
        return;
      }
      take(
        panel?.model && !panel.isDisposed
          ? new PanelSource(panel, panel.model.sharedModel)
          : null
      );
    };
    tracker.currentChanged.connect(() => void follow());
    void follow();
    return model;
  }
};
