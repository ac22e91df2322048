/**
 * The extension's own menus, of commands that are there.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { MenuSvg } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Menu } from '@lumino/widgets';

import { ROLES } from './roles';
import { CommandIDs } from './tokens';

/** The roles for a cell: `cellId`, or the active cell. */
export function roleMenu(
  commands: CommandRegistry,
  trans: TranslationBundle,
  cellId?: string
): Menu {
  const menu = new MenuSvg({ commands });
  const cell = cellId === undefined ? {} : { cellId };
  menu.addClass('nbprod-Menu');
  menu.title.label = trans.__('Cell Role');
  for (const role of ROLES) {
    menu.addItem({
      command: CommandIDs.setRole,
      args: { role, isShort: true, ...cell }
    });
  }
  menu.addItem({ type: 'separator' });
  menu.addItem({ command: CommandIDs.clearRole, args: cell });
  return menu;
}

/** All that the one button in the toolbar offers. */
export function mainMenu(
  commands: CommandRegistry,
  trans: TranslationBundle
): Menu {
  const menu = new MenuSvg({ commands });
  menu.addClass('nbprod-Menu');
  menu.addItem({ type: 'submenu', submenu: roleMenu(commands, trans) });
  const groups = [
    [CommandIDs.acceptSuggestions],
    [CommandIDs.check, CommandIDs.nextFinding],
    [
      CommandIDs.preview,
      CommandIDs.exportPackage,
      CommandIDs.run,
      CommandIDs.runWith,
      CommandIDs.runAnew,
      CommandIDs.verify
    ],
    [CommandIDs.showPanel]
  ];
  for (const group of groups) {
    menu.addItem({ type: 'separator' });
    for (const command of group) {
      if (commands.hasCommand(command)) {
        menu.addItem({ command });
      }
    }
  }
  return menu;
}

/** Open a menu below a node, with its first item chosen; `refocus` is called when the focus has nowhere to go after. */
export function openBelow(
  menu: Menu,
  node: HTMLElement,
  refocus: () => void
): void {
  const { left, bottom } = node.getBoundingClientRect();
  node.setAttribute('aria-expanded', 'true');
  menu.aboutToClose.connect(() => {
    node.setAttribute('aria-expanded', 'false');
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) {
        refocus();
      }
    });
  });
  menu.open(left, bottom + 2);
  menu.activateNextItem();
}
