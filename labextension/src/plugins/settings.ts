/**
 * Provides what the person has set.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import type { NbprodModel } from '../model';
import { Settings } from '../settings';
import { INbprodModel, INbprodSettings } from '../tokens';

export const settings: JupyterFrontEndPlugin<Settings> = {
  // The name of the schema's file: labextension/schema/plugin.json.
  id: 'nbprod:plugin',
  description: 'Provides the settings.',
  autoStart: true,
  requires: [INbprodModel],
  optional: [ISettingRegistry],
  provides: INbprodSettings,
  activate: (_app, model: NbprodModel, registry: ISettingRegistry | null) => {
    const settings = new Settings();
    settings.changed.connect((_, { delay }) => {
      model.studyDelay = delay;
    });
    registry?.load('nbprod:plugin').then(
      stored => {
        settings.follow(stored);
      },
      (error: unknown) => {
        console.warn('nbprod: the defaults hold, as settings failed', error);
      }
    );
    return settings;
  }
};
