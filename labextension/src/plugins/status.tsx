/**
 * The status bar's item: the package's version, whether it still equals the notebook, and how much there is to see.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { Signal } from '@lumino/signaling';
import React from 'react';

import { StatusItem } from '../status-item';
import type { NbprodModel } from '../model';
import { CommandIDs, INbprodModel } from '../tokens';

export const status: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:status',
  description: 'Says in the status bar how the notebook and its package stand.',
  autoStart: true,
  requires: [INbprodModel],
  optional: [IStatusBar, ITranslator],
  activate: (
    app,
    model: NbprodModel,
    bar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    const activeStateChanged = new Signal<NbprodModel, void>(model);
    model.stateChanged.connect(() => {
      activeStateChanged.emit();
    });
    bar?.registerStatusItem('nbprod:status', {
      item: ReactWidget.create(
        <UseSignal signal={model.stateChanged}>
          {() => (
            <StatusItem
              state={model.state}
              open={() => {
                void app.commands.execute(CommandIDs.showPanel);
              }}
              trans={trans}
            />
          )}
        </UseSignal>
      ),
      align: 'left',
      rank: 40,
      isActive: () => model.state.kind === 'notebook',
      activeStateChanged
    });
  }
};
