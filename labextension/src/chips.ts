/**
 * The chip on a cell of the notebook: its role, how many findings it has, and a button for the menu of roles.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { roleDescription, roleLabel } from './labels';
import type { NoteKind } from './notes';
import type { Role } from './roles';

/** What a chip says. */
export interface ChipContent {
  readonly cellId: string;
  readonly index: number;
  readonly role: Role;
  readonly findings: number;
  /** The most urgent kind of the findings, or null where there are none. */
  readonly kind: NoteKind | null;
}

const CHIP = 'nbprod-CellChip';

/** Let the cell's node show this and nothing else of a chip; null takes it away. */
export function showChip(
  node: HTMLElement,
  content: ChipContent | null,
  open: (cellId: string) => void,
  trans: TranslationBundle
): void {
  const shown = chipOf(node);
  if (content === null) {
    shown?.remove();
    delete node.dataset.nbprodRole;
    return;
  }
  node.dataset.nbprodRole = content.role;
  const said = JSON.stringify(content);
  if (shown?.dataset.nbprodContent === said) {
    return;
  }
  const chip = shown ?? newChip();
  chip.dataset.nbprodContent = said;
  chip.title = roleDescription(content.role, trans);
  chip.setAttribute('aria-label', labelOf(content, trans));
  chip.replaceChildren(roleLabel(content.role, trans), ...countOf(content));
  chip.onclick = () => {
    open(content.cellId);
  };
  node.append(chip);
}

/** The chip of a cell's node, or null. */
export function chipOf(node: HTMLElement): HTMLButtonElement | null {
  return node.querySelector<HTMLButtonElement>(`:scope > .${CHIP}`);
}

function newChip(): HTMLButtonElement {
  const chip = document.createElement('button');
  chip.type = 'button';
  chip.className = `nbprod-Chip ${CHIP}`;
  chip.setAttribute('aria-haspopup', 'menu');
  // Enter and the letters are the button's here, not the notebook's.
  chip.dataset.lmSuppressShortcuts = 'true';
  return chip;
}

function countOf({ findings, kind }: ChipContent): HTMLElement[] {
  if (kind === null) {
    return [];
  }
  const count = document.createElement('span');
  count.className = 'nbprod-CellChip-count';
  count.dataset.nbprodKind = kind;
  const shape = document.createElement('span');
  shape.className = 'nbprod-Shape';
  count.append(shape, String(findings));
  return [count];
}

function labelOf(content: ChipContent, trans: TranslationBundle): string {
  const role = roleLabel(content.role, trans);
  return content.findings === 0
    ? trans.__('Role of cell %1: %2', content.index, role)
    : trans._n(
        'Role of cell %2: %3, %1 finding',
        'Role of cell %2: %3, %1 findings',
        content.findings,
        content.index,
        role
      );
}
