/**
 * The plugins of the extension.
 */
import { cellMarks } from './plugins/cell-marks';
import { commands } from './plugins/commands';
import { model, packageModel } from './plugins/model';
import { preview } from './plugins/preview';
import { packageCommands } from './plugins/package-commands';
import { diagnostics } from './plugins/diagnostics';
import { hints } from './plugins/hints';
import { settings } from './plugins/settings';
import { sidebar } from './plugins/sidebar';

export default [
  model,
  packageModel,
  settings,
  commands,
  packageCommands,
  sidebar,
  cellMarks,
  diagnostics,
  hints,
  preview
];
