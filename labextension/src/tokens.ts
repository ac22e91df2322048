/**
 * Names that the plugins share.
 */
import { Token } from '@lumino/coreutils';

import type { NbprodModel } from './model';

/** The state of the extension, for other extensions as well. */
export const INbprodModel = new Token<NbprodModel>(
  'nbprod:INbprodModel',
  'The active notebook with the roles of its cells.'
);

/** The commands: what palette, sidebar and shortcuts share. */
export namespace CommandIDs {
  /** Show the sidebar. */
  export const showPanel = 'nbprod:show-panel';
  /** Give a cell a role: `role`, and `cellId` or else the active cell. */
  export const setRole = 'nbprod:set-role';
  /** Take a cell's role away: `cellId`, or else the active cell. */
  export const clearRole = 'nbprod:clear-role';
  /** Take over what is suggested: for `cellId`, or else for all cells. */
  export const acceptSuggestions = 'nbprod:accept-suggestions';
  /** Scroll to a cell and make it the active one: `cellId`. */
  export const goToCell = 'nbprod:go-to-cell';
}
