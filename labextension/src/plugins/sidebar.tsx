/**
 * Shows the sidebar.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import React from 'react';

import { Panel } from '../components/panel';
import { nbprodIcon } from '../icons';
import type { NbprodModel } from '../model';
import { CommandIDs, INbprodModel } from '../tokens';

export const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:sidebar',
  description: 'Adds the sidebar that lists the cells with their roles.',
  autoStart: true,
  requires: [INbprodModel],
  optional: [ITranslator, ICommandPalette, ILayoutRestorer],
  activate: (
    app,
    model: NbprodModel,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    const execute = (command: string, args = {}) => {
      void app.commands.execute(command, args);
    };
    const panel = ReactWidget.create(
      <UseSignal signal={model.stateChanged}>
        {() => <Panel state={model.state} execute={execute} trans={trans} />}
      </UseSignal>
    );
    panel.id = 'nbprod-sidebar';
    panel.addClass('nbprod-Sidebar');
    panel.title.icon = nbprodIcon;
    panel.title.caption = trans.__('Production Pipeline');
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', trans.__('Production Pipeline'));
    app.shell.add(panel, 'right', { rank: 400, type: 'Production Pipeline' });
    restorer?.add(panel, panel.id);

    app.commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Production Pipeline'),
      icon: nbprodIcon,
      execute: () => {
        app.shell.activateById(panel.id);
      }
    });
    palette?.addItem({
      command: CommandIDs.showPanel,
      category: trans.__('Production Pipeline')
    });
  }
};
