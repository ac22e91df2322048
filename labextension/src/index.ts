/**
 * The plugins of the extension.
 */
import { cellMarks } from './plugins/cell-marks';
import { commands } from './plugins/commands';
import { model } from './plugins/model';
import { sidebar } from './plugins/sidebar';

export default [model, commands, sidebar, cellMarks];
