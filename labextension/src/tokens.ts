/**
 * Names that the plugins share.
 */
import { Token } from '@lumino/coreutils';

import type { CellStore } from './editor/cell-store';
import type { NbprodClient } from './api';
import type { NbprodModel } from './model';
import type { INote } from './notes';
import type { PackageModel } from './package';
import type { Settings } from './settings';

/** The state of the extension, for other extensions as well. */
export const INbprodModel = new Token<NbprodModel>(
  'nbprod:INbprodModel',
  'The active notebook with the roles of its cells.'
);

/** The server extension, asked by all plugins through one client. */
export const INbprodServer = new Token<NbprodClient>(
  'nbprod:INbprodServer',
  'The client of the server extension.'
);

/** What is known of the notebook's package: versions, runs, readiness, and work under way. */
export const IPackageModel = new Token<PackageModel>(
  'nbprod:IPackageModel',
  'The package of the active notebook.'
);

/** What the person has set. */
export const INbprodSettings = new Token<Settings>(
  'nbprod:INbprodSettings',
  'The settings of the extension.'
);

/** What is to be said at the lines of the cells of open notebooks. */
export const INbprodNotes = new Token<CellStore<INote>>(
  'nbprod:INbprodNotes',
  'Findings, refusals and divergences by cell.'
);

/** The commands: what palette, sidebar and shortcuts share. */
export namespace CommandIDs {
  /** Show the sidebar. */
  export const showPanel = 'nbprod:show-panel';
  /** Give a cell a role: `role`, and `cellId` or else the active cell; `isShort` for the role's name alone as label. */
  export const setRole = 'nbprod:set-role';
  /** Take a cell's role away: `cellId`, or else the active cell. */
  export const clearRole = 'nbprod:clear-role';
  /** Take over what is suggested: for `cellId`, or else for all cells. */
  export const acceptSuggestions = 'nbprod:accept-suggestions';
  /** Scroll to a cell and make it the active one: `cellId`; with `line` (1-based), set the cursor there. */
  export const goToCell = 'nbprod:go-to-cell';
  /** Write the package of the notebook as it is now. */
  export const exportPackage = 'nbprod:export';
  /** Run the notebook, fit its package, prove the two equal. */
  export const run = 'nbprod:run';
  /** Run it without restoring stages of earlier runs. */
  export const runAnew = 'nbprod:run-anew';
  /** Run it with other values than its cell of parameters sets, beginning with `parameters`. */
  export const runWith = 'nbprod:run-with';
  /** Make a recorded `run` again and compare the two. */
  export const reproduce = 'nbprod:reproduce';
  /** Open the executed notebook of a `run`. */
  export const openExecuted = 'nbprod:open-executed';
  /** Let git check notebooks and packages before a commit. */
  export const addHook = 'nbprod:add-hook';
  /** Let GitHub check notebooks and packages. */
  export const addWorkflow = 'nbprod:add-workflow';
  /** Prove the newest version by replay. */
  export const verify = 'nbprod:verify';
  /** Make evidence of the checklist that takes time: of `items`, or of all that is missing or stale. */
  export const gather = 'nbprod:gather';
  /** Stop the work under way. */
  export const cancel = 'nbprod:cancel';
  /** Put away the message of work that has ended. */
  export const dismiss = 'nbprod:dismiss';
  /** Let `champion` stand for `version`. */
  export const promote = 'nbprod:promote';
  /** Let `champion` stand again for what it stood for before. */
  export const rollback = 'nbprod:rollback';
  /** Show the package that would be written, or that of `version`. */
  export const preview = 'nbprod:preview';
  /** Ask for what is declared: for the items that go by `key`, or for all. */
  export const declare = 'nbprod:declare';
  /** Open the menu of roles at a cell: `cellId`, or else the active cell. */
  export const chooseRole = 'nbprod:choose-role';
  /** Ask the server again what it makes of the notebook. */
  export const check = 'nbprod:check';
  /** Go to the next finding in the notebook and open its card. */
  export const nextFinding = 'nbprod:next-finding';
  /** Go to the finding before and open its card. */
  export const previousFinding = 'nbprod:previous-finding';
}
