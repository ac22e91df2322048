/**
 * The one button in the notebook's toolbar, and the command that checks the notebook now.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ToolbarButton } from '@jupyterlab/ui-components';

import { nbprodIcon } from '../icons';
import { mainMenu, openBelow } from '../menus';
import type { NbprodModel } from '../model';
import type { PackageModel } from '../package';
import { CommandIDs, INbprodModel, IPackageModel } from '../tokens';

export const toolbar: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:toolbar',
  description: 'Adds one button to the toolbar of notebooks.',
  autoStart: true,
  requires: [INbprodModel, IPackageModel],
  optional: [ITranslator, IToolbarWidgetRegistry, ICommandPalette],
  activate: (
    app,
    model: NbprodModel,
    packageModel: PackageModel,
    translator: ITranslator | null,
    toolbars: IToolbarWidgetRegistry | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    app.commands.addCommand(CommandIDs.check, {
      label: trans.__('Check Notebook Now'),
      isEnabled: () => model.state.kind === 'notebook',
      execute: () => Promise.all([model.refresh(), packageModel.refresh()])
    });
    model.stateChanged.connect(() => {
      app.commands.notifyCommandChanged(CommandIDs.check);
    });
    palette?.addItem({
      command: CommandIDs.check,
      category: trans.__('Production Pipeline')
    });
    // Where the button stands is said in the schema of the settings.
    toolbars?.addFactory<NotebookPanel>('Notebook', 'nbprod', () => {
      const button: ToolbarButton = new ToolbarButton({
        icon: nbprodIcon,
        tooltip: trans.__('Production Pipeline'),
        onClick: () => {
          const node =
            button.node.querySelector<HTMLElement>(
              '.jp-ToolbarButtonComponent'
            ) ?? button.node;
          openBelow(mainMenu(app.commands, trans), node, () => {
            node.focus();
          });
        }
      });
      button.addClass('nbprod-ToolbarButton');
      return button;
    });
  }
};
