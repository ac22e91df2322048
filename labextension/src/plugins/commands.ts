/**
 * The commands: each action of the extension once, for palette, sidebar and shortcuts.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import type { Notebook } from '@jupyterlab/notebook';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { roleDescription, roleLabel } from '../labels';
import { textArg } from '../args';
import type { ICellState, NbprodModel } from '../model';
import { isRole, ROLES } from '../roles';
import { CommandIDs, INbprodModel } from '../tokens';

export const commands: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:commands',
  description: 'Adds the commands that set and clear the roles of cells.',
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
    const category = trans.__('Production Pipeline');
    const isTagged = (cell: ICellState | null): cell is ICellState =>
      model.isTaggable(cell) && cell.markedBy === 'tag';

    app.commands.addCommand(CommandIDs.setRole, {
      label: args => {
        if (!isRole(args.role)) {
          return trans.__('Set Cell Role');
        }
        const role = roleLabel(args.role, trans);
        return args.isShort ? role : trans.__('Set Cell Role: %1', role);
      },
      caption: args =>
        isRole(args.role) ? roleDescription(args.role, trans) : '',
      isEnabled: args => model.isTaggable(model.cell(textArg(args.cellId))),
      isToggled: args =>
        isRole(args.role) &&
        model.cell(textArg(args.cellId))?.role === args.role,
      execute: args => {
        const cell = model.cell(textArg(args.cellId));
        if (isRole(args.role) && model.isTaggable(cell)) {
          model.setRole(cell.id, args.role);
        }
      }
    });
    app.commands.addCommand(CommandIDs.clearRole, {
      label: trans.__('Clear Cell Role'),
      isEnabled: args => isTagged(model.cell(textArg(args.cellId))),
      execute: args => {
        const cell = model.cell(textArg(args.cellId));
        if (isTagged(cell)) {
          model.setRole(cell.id, null);
        }
      }
    });
    app.commands.addCommand(CommandIDs.acceptSuggestions, {
      label: trans.__('Apply Suggested Cell Roles'),
      isEnabled: () =>
        model.state.kind === 'notebook' &&
        !model.state.isReadOnly &&
        model.state.cells.some(cell => cell.suggestion !== null),
      execute: args => {
        model.acceptSuggestions(textArg(args.cellId));
      }
    });
    app.commands.addCommand(CommandIDs.goToCell, {
      label: trans.__('Go to Cell'),
      execute: async args => {
        const panel = tracker.currentWidget;
        const index =
          panel?.content.widgets.findIndex(
            widget => widget.model.id === args.cellId
          ) ?? -1;
        if (panel && index >= 0) {
          panel.content.mode = 'command';
          panel.content.deselectAll();
          panel.content.activeCellIndex = index;
          app.shell.activateById(panel.id);
          const isThere = await scrolledTo(panel.content, index);
          if (isThere && typeof args.line === 'number') {
            await goToLine(panel.content, args.line);
          }
        }
      }
    });

    for (const role of ROLES) {
      palette?.addItem({
        command: CommandIDs.setRole,
        args: { role },
        category
      });
    }
    for (const command of [
      CommandIDs.clearRole,
      CommandIDs.acceptSuggestions
    ]) {
      palette?.addItem({ command, category });
    }
    model.stateChanged.connect(() => {
      app.commands.notifyCommandChanged(CommandIDs.setRole);
      app.commands.notifyCommandChanged(CommandIDs.clearRole);
      app.commands.notifyCommandChanged(CommandIDs.acceptSuggestions);
    });
  }
};

/** Milliseconds until a cell that does not come into the page is let go. */
const LONGEST_SCROLL = 120_000;

/**
 * Scroll to a cell; false where the person has gone elsewhere meanwhile.
 *
 * JupyterLab adds the cells of a large notebook to the page bit by bit, and gives up on one that takes long.
 */
async function scrolledTo(notebook: Notebook, index: number): Promise<boolean> {
  const cell = notebook.widgets[index];
  const until = Date.now() + LONGEST_SCROLL;
  const isWanted = () =>
    !notebook.isDisposed && notebook.isVisible && notebook.activeCell === cell;
  do {
    try {
      await notebook.scrollToItem(index, 'smart');
    } catch {
      return false; // Another scroll was asked for.
    }
  } while (isWanted() && cell?.isAttached === false && Date.now() < until);
  return isWanted();
}

/** Put the cursor at the start of a line (from 1) of the active cell. */
async function goToLine(notebook: Notebook, line: number): Promise<void> {
  const cell = notebook.activeCell;
  await cell?.ready;
  const editor = cell?.editor;
  if (editor) {
    notebook.mode = 'edit';
    editor.focus();
    const last = editor.lineCount - 1;
    const position = { line: Math.min(line - 1, last), column: 0 };
    editor.setCursorPosition(position);
    editor.revealPosition(position);
  }
}
