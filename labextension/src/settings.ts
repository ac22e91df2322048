/**
 * What the person has set in JupyterLab's settings editor.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';

/** The values of labextension/schema/plugin.json. */
export interface ISettingValues {
  /** Whether findings are shown in the editors. */
  readonly diagnostics: boolean;
  /** Whether learned values are shown after their lines. */
  readonly hints: boolean;
  /** How long to wait after an edit before the notebook is checked, in milliseconds. */
  readonly delay: number;
  /** Whether saving a notebook exports it. */
  readonly exportOnSave: boolean;
}

/** What holds where nothing is set, or settings can't be had. */
export const DEFAULTS: ISettingValues = {
  diagnostics: true,
  hints: true,
  delay: 150,
  exportOnSave: false
};

/** The settings as they are now. */
export class Settings {
  readonly changed = new Signal<this, ISettingValues>(this);

  get values(): ISettingValues {
    return this._values;
  }

  /** Follow what JupyterLab has stored. */
  follow(stored: ISettingRegistry.ISettings): void {
    const read = () => {
      this._values = valuesOf(stored.composite);
      this.changed.emit(this._values);
    };
    stored.changed.connect(read);
    read();
  }

  private _values = DEFAULTS;
}

/** The values that are set, and the defaults for all that is not or is no such value. */
export function valuesOf(
  stored: Readonly<Record<string, unknown>>
): ISettingValues {
  const flag = (name: 'diagnostics' | 'hints' | 'exportOnSave') =>
    typeof stored[name] === 'boolean' ? stored[name] : DEFAULTS[name];
  const delay = stored.delay;
  return {
    diagnostics: flag('diagnostics'),
    hints: flag('hints'),
    exportOnSave: flag('exportOnSave'),
    delay: typeof delay === 'number' && delay >= 0 ? delay : DEFAULTS.delay
  };
}
