/**
 * The fields in which a run is given other values than its cell of parameters sets.
 */
import type { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { IRunParameter } from '../api';

/** Values by name, as texts that the server reads in the type of the default. */
export type ParameterTexts = Readonly<Record<string, string>>;

/** In the place of a value that looks like a secret, in all that the server tells. */
const MASK = '***';

/** A field for each parameter, filled with `given` or else with its default. */
export class ParametersForm
  extends Widget
  implements Dialog.IBodyWidget<ParameterTexts>
{
  constructor(
    parameters: readonly IRunParameter[],
    given: ParameterTexts,
    trans: TranslationBundle
  ) {
    super();
    this.addClass('nbprod-ParametersForm');
    for (const parameter of parameters) {
      const { name } = parameter;
      const text = given[name] ?? MASK;
      const field = fieldOf(
        parameter,
        text === MASK ? parameter.default : text,
        trans
      );
      const label = document.createElement('label');
      const title = document.createElement('span');
      title.textContent = parameter.required
        ? trans.__('%1 (required)', name)
        : name;
      label.append(title, field);
      this.node.append(label);
      this._fields.push({ parameter, field });
    }
  }

  /** What is other than its default. */
  getValue(): ParameterTexts {
    return Object.fromEntries(
      this._fields
        .map(({ parameter, field }) => [parameter, field.value] as const)
        .filter(([parameter, value]) => value !== parameter.default)
        .map(([parameter, value]) => [parameter.name, value])
    );
  }

  private readonly _fields: {
    parameter: IRunParameter;
    field: HTMLInputElement | HTMLSelectElement;
  }[] = [];
}

function fieldOf(
  parameter: IRunParameter,
  value: string,
  trans: TranslationBundle
): HTMLInputElement | HTMLSelectElement {
  const caption = captionOf(parameter, trans);
  if (parameter.choices.length > 0) {
    const choice = document.createElement('select');
    choice.className = 'jp-mod-styled';
    choice.title = caption;
    for (const each of new Set([...parameter.choices, value])) {
      choice.add(new Option(each, each, false, each === value));
    }
    return choice;
  }
  const field = document.createElement('input');
  field.className = 'jp-mod-styled';
  field.title = caption;
  field.spellcheck = false;
  field.required = parameter.required;
  field.value = value;
  field.placeholder = parameter.secret
    ? trans.__('env:NAME of an environment variable')
    : (parameter.kind ?? '');
  return field;
}

/** What the cell says of a parameter, and what stands where a run gives none. */
function captionOf(parameter: IRunParameter, trans: TranslationBundle): string {
  const standard = parameter.required
    ? trans.__('A run must give it a value.')
    : trans.__('Default: %1', parameter.default);
  return [parameter.description, parameter.kind, standard]
    .filter(Boolean)
    .join('\n');
}
