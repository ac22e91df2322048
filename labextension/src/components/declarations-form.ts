/**
 * The fields in which a person declares what no machine can know, each with its question and an example.
 */
import type { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { IDeclaration } from '../api';

/** What was typed, by key; an empty text takes a key out of the configuration. */
export type DeclaredTexts = Readonly<Record<string, string>>;

/**
 * A field for each declaration, filled with `given` or else with what is declared. Where all are asked for, those that few
 * pipelines have are folded away, unless they are declared.
 */
export class DeclarationsForm
  extends Widget
  implements Dialog.IBodyWidget<DeclaredTexts>
{
  constructor(
    declarations: readonly IDeclaration[],
    given: DeclaredTexts,
    trans: TranslationBundle
  ) {
    super();
    this.addClass('nbprod-DeclarationsForm');
    const more = document.createElement('details');
    const summary = document.createElement('summary');
    summary.textContent = trans.__('What few pipelines have');
    more.append(summary);
    const folds = declarations.some(each => !each.rare);
    for (const declaration of declarations) {
      const field = fieldOf(
        declaration,
        given[declaration.key] ?? declaration.value ?? '',
        trans
      );
      const label = document.createElement('label');
      const question = document.createElement('span');
      question.textContent = declaration.question;
      const key = document.createElement('code');
      key.textContent = `${declaration.key} · ${declaration.items.join(', ')}`;
      label.append(question, field, key);
      const isFolded = folds && declaration.rare && field.value === '';
      (isFolded ? more : this.node).append(label);
      this._fields.push({ declaration, field });
    }
    if (more.childElementCount > 1) {
      this.node.append(more);
    }
  }

  /** What is other than it was. */
  getValue(): DeclaredTexts {
    return Object.fromEntries(
      this._fields
        .map(
          ({ declaration, field }) => [declaration, field.value.trim()] as const
        )
        .filter(([declaration, value]) => value !== (declaration.value ?? ''))
        .map(([declaration, value]) => [declaration.key, value])
    );
  }

  private readonly _fields: {
    declaration: IDeclaration;
    field: HTMLInputElement | HTMLSelectElement;
  }[] = [];
}

/** The declarations that share an item of the checklist with a key; all of them where no key is named. */
export function declarationsFor(
  declarations: readonly IDeclaration[],
  key: string | undefined
): readonly IDeclaration[] {
  const items = declarations.find(each => each.key === key)?.items;
  return items === undefined
    ? declarations
    : declarations.filter(each =>
        each.items.some(item => items.includes(item))
      );
}

function fieldOf(
  declaration: IDeclaration,
  value: string,
  trans: TranslationBundle
): HTMLInputElement | HTMLSelectElement {
  if (declaration.choices.length > 0) {
    const choice = document.createElement('select');
    choice.className = 'jp-mod-styled';
    choice.add(new Option(trans.__('not declared'), '', false, value === ''));
    for (const each of new Set([...declaration.choices, value])) {
      if (each !== '') {
        choice.add(new Option(each, each, false, each === value));
      }
    }
    return choice;
  }
  const field = document.createElement('input');
  field.className = 'jp-mod-styled';
  field.spellcheck = false;
  field.value = value;
  field.placeholder = trans.__('such as: %1', declaration.example);
  return field;
}
