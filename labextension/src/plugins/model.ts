/**
 * Provides the model and lets it follow the current notebook.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';

import { NbprodClient } from '../api';
import { NbprodModel } from '../model';
import { PackageModel } from '../package';
import { PanelSource } from '../source';
import { INbprodModel, IPackageModel } from '../tokens';

/** The package of the notebook that the model follows. */
export const packageModel: JupyterFrontEndPlugin<PackageModel> = {
  id: 'nbprod:package',
  description: 'Knows versions, runs and readiness of the current notebook.',
  autoStart: true,
  requires: [INbprodModel],
  provides: IPackageModel,
  activate: (app, model: NbprodModel) => {
    const client = new NbprodClient(app.serviceManager.serverSettings);
    const made = new PackageModel({ client });
    const follow = () => {
      const { state } = model;
      made.path = state.kind === 'notebook' && state.study ? state.path : null;
    };
    model.stateChanged.connect(follow);
    made.jobEnded.connect(() => void model.refresh());
    follow();
    return made;
  }
};

export const model: JupyterFrontEndPlugin<NbprodModel> = {
  id: 'nbprod:model',
  description: 'Follows the current notebook and knows the roles of its cells.',
  autoStart: true,
  requires: [INotebookTracker],
  provides: INbprodModel,
  activate: (app, tracker: INotebookTracker) => {
    const client = new NbprodClient(app.serviceManager.serverSettings);
    const model = new NbprodModel({ client });
    let source: PanelSource | null = null;

    const follow = async () => {
      const panel = tracker.currentWidget;
      await panel?.context.ready;
      if (panel !== tracker.currentWidget || panel === source?.panel) {
        return;
      }
      const previous = source;
      source =
        panel?.model && !panel.isDisposed
          ? new PanelSource(panel, panel.model.sharedModel)
          : null;
      model.source = source;
      previous?.dispose();
    };
    tracker.currentChanged.connect(() => void follow());
    void follow();
    return model;
  }
};
