/**
 * The plugins of the extension.
 */
import { cellMarks } from './plugins/cell-marks';
import { commands } from './plugins/commands';
import { model, packageModel } from './plugins/model';
import { preview } from './plugins/preview';
import { packageCommands } from './plugins/package-commands';
import { sidebar } from './plugins/sidebar';

export default [
  model,
  packageModel,
  commands,
  packageCommands,
  sidebar,
  cellMarks,
  preview
];
