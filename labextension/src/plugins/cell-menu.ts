/**
 * The menu of roles at a cell of the notebook.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { chipOf } from '../chips';
import { openBelow, roleMenu } from '../menus';
import { textArg } from '../args';
import type { NbprodModel } from '../model';
import { CommandIDs, INbprodModel } from '../tokens';

export const cellMenu: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:cell-menu',
  description: 'Adds the menu of roles to the cells.',
  autoStart: true,
  requires: [INbprodModel, INotebookTracker],
  optional: [ITranslator, ICommandPalette],
  activate: (
    app,
    model: NbprodModel,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    app.commands.addCommand(CommandIDs.chooseRole, {
      label: trans.__('Choose Cell Role…'),
      isEnabled: args => model.cell(textArg(args.cellId)) !== null,
      execute: args => {
        const cell = model.cell(textArg(args.cellId));
        const widget = tracker.currentWidget?.content.widgets.find(
          widget => widget.model.id === cell?.id
        );
        if (cell && widget) {
          const menu = roleMenu(app.commands, trans, cell.id);
          const prompt = widget.inputArea?.promptNode ?? widget.node;
          openBelow(menu, chipOf(widget.node) ?? prompt, () => {
            (chipOf(widget.node) ?? widget.node).focus();
          });
        }
      }
    });
    palette?.addItem({
      command: CommandIDs.chooseRole,
      category: trans.__('Production Pipeline')
    });
  }
};
