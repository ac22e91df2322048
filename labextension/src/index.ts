/**
 * The plugins of the extension.
 */
import { cellMarks } from './plugins/cell-marks';
import { cellMenu } from './plugins/cell-menu';
import { commands } from './plugins/commands';
import { model, packageModel, server } from './plugins/model';
import { preview } from './plugins/preview';
import { packageCommands } from './plugins/package-commands';
import { projectCommands } from './plugins/project-commands';
import { diagnostics } from './plugins/diagnostics';
import { exportOnSave } from './plugins/export-on-save';
import { hints } from './plugins/hints';
import { settings } from './plugins/settings';
import { sidebar } from './plugins/sidebar';
import { status } from './plugins/status';
import { toolbar } from './plugins/toolbar';

export default [
  server,
  model,
  packageModel,
  settings,
  commands,
  packageCommands,
  projectCommands,
  sidebar,
  cellMarks,
  cellMenu,
  diagnostics,
  hints,
  toolbar,
  status,
  exportOnSave,
  preview
];
