/**
 * The commands around a run and its project: other parameters, the executed notebook, a hook and a workflow.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  Dialog,
  ICommandPalette,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { IDeclaration, NbprodClient } from '../api';
import { problemOfError } from '../api';
import { textArg } from '../args';
import type { DeclaredTexts } from '../components/declarations-form';
import {
  DeclarationsForm,
  declarationsFor
} from '../components/declarations-form';
import type { ParameterTexts } from '../components/parameters-form';
import { ParametersForm } from '../components/parameters-form';
import type { PackageModel } from '../package';
import { isSaved } from '../saved';
import { CommandIDs, INbprodServer, IPackageModel } from '../tokens';

export const projectCommands: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:project-commands',
  description:
    'Adds the commands that run with other parameters and begin hook and workflow.',
  autoStart: true,
  requires: [INbprodServer, IPackageModel, INotebookTracker],
  optional: [ITranslator, ICommandPalette],
  activate: (
    app,
    client: NbprodClient,
    model: PackageModel,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    const { commands } = app;
    /** Ask the server about the notebook at hand, and say what stands in the way. */
    const asked = async <T>(
      ask: (path: string) => Promise<T>
    ): Promise<T | null> => {
      if (model.path === null) {
        return null;
      }
      try {
        return await ask(model.path);
      } catch (error) {
        const { message, hint } = problemOfError(error);
        Notification.error(hint ? `${message}: ${hint}` : message);
        return null;
      }
    };

    commands.addCommand(CommandIDs.runWith, {
      label: trans.__('Run with Parameters…'),
      isEnabled: () => model.path !== null && !model.isBusy,
      execute: async args => {
        if (!(await isSaved(tracker.currentWidget))) {
          return;
        }
        const found = await asked(path => client.parameters(path));
        if (found === null) {
          return;
        }
        if (found.parameters.length === 0) {
          await tellOfParameters(trans);
          return;
        }
        const form = new ParametersForm(
          found.parameters,
          textsOf(args.parameters),
          trans
        );
        const { path } = model;
        const { button, value } = await showDialog({
          title: trans.__('Run with parameters'),
          body: form,
          focusNodeSelector: 'input, select',
          buttons: [
            Dialog.cancelButton(),
            Dialog.okButton({ label: trans.__('Run') })
          ]
        });
        if (button.accept && value && path === model.path) {
          await model.start('run', value);
        }
      }
    });
    /** Show the form until what is typed can be written, or a person leaves it. */
    const declare = async (
      path: string,
      shown: readonly IDeclaration[],
      file: string | null
    ) => {
      let given: DeclaredTexts = {};
      let fault = '';
      for (;;) {
        const { button, value } = await showDialog({
          title: fault || trans.__('What only you can know'),
          body: new DeclarationsForm(shown, given, trans),
          focusNodeSelector: 'input, select',
          buttons: [
            ...(file === null
              ? []
              : [
                  Dialog.createButton({
                    label: trans.__('Open File'),
                    className: 'jp-mod-reject'
                  })
                ]),
            Dialog.cancelButton(),
            Dialog.okButton({ label: trans.__('Declare') })
          ]
        });
        if (!button.accept || value === null || path !== model.path) {
          return;
        }
        if (button.label === trans.__('Open File')) {
          await commands.execute('docmanager:open', {
            path: file,
            factory: 'Editor'
          });
          return;
        }
        try {
          if (Object.keys(value).length > 0) {
            await client.declare(path, value);
            await model.refresh();
          }
          return;
        } catch (error) {
          given = value;
          fault = problemOfError(error).message;
        }
      }
    };
    commands.addCommand(CommandIDs.declare, {
      label: trans.__('Declare…'),
      caption: trans.__(
        'Say what the model is for, who owns it, and what is asked of it'
      ),
      isEnabled: () => model.path !== null,
      execute: async args => {
        const { path } = model;
        const found = await asked(at => client.declarations(at));
        if (found !== null && path !== null) {
          const shown = declarationsFor(found.declarations, textArg(args.key));
          await declare(path, shown, found.configuration);
        }
      }
    });
    commands.addCommand(CommandIDs.openExecuted, {
      label: trans.__('Open Executed Notebook'),
      isEnabled: () => model.path !== null,
      execute: async args => {
        const run = textArg(args.run);
        const copy =
          run === undefined
            ? null
            : await asked(path => client.executed(path, run));
        if (copy) {
          await commands.execute('docmanager:open', { path: copy.path });
        }
      }
    });
    const begin = async (what: { pre_commit?: boolean; github?: boolean }) => {
      const begun = await asked(path => client.init(path, what));
      if (begun) {
        const isOn = what.pre_commit !== true || begun.written.length === 0;
        const text = beginText(begun, trans);
        Notification.success(
          isOn
            ? text
            : trans.__('%1. Switch the hook on with: pre-commit install', text),
          { autoClose: 10_000 }
        );
        await model.refresh();
      }
    };
    commands.addCommand(CommandIDs.addHook, {
      label: trans.__('Add Pre-Commit Hook'),
      caption: trans.__(
        'Check before every commit that notebooks and packages agree'
      ),
      isEnabled: () => model.path !== null,
      execute: () => begin({ pre_commit: true })
    });
    commands.addCommand(CommandIDs.addWorkflow, {
      label: trans.__('Add GitHub Workflow'),
      caption: trans.__(
        'Check on every push that notebooks and packages agree'
      ),
      isEnabled: () => model.path !== null,
      execute: () => begin({ github: true })
    });
    const category = trans.__('Production Pipeline');
    const shown = [
      CommandIDs.runWith,
      CommandIDs.declare,
      CommandIDs.addHook,
      CommandIDs.addWorkflow
    ];
    for (const command of shown) {
      palette?.addItem({ command, category });
    }
    model.stateChanged.connect(() => {
      for (const id of [...shown, CommandIDs.openExecuted]) {
        commands.notifyCommandChanged(id);
      }
    });
  }
};

function tellOfParameters(trans: TranslationBundle): Promise<unknown> {
  return showDialog({
    title: trans.__('This notebook has no parameters yet'),
    body: trans.__(
      'Give a cell that sets names to values, such as “rows = 1000”, the role “parameters”: a run can then set them to others.'
    ),
    buttons: [Dialog.okButton()]
  });
}

/** The texts of a command’s argument by name; all else is left out. */
function textsOf(value: unknown): ParameterTexts {
  const entries = value && typeof value === 'object' ? value : {};
  return Object.fromEntries(
    Object.entries(entries).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string'
    )
  );
}

function beginText(
  begun: { readonly written: readonly string[] },
  trans: TranslationBundle
): string {
  return begun.written.length > 0
    ? trans.__('Written: %1', begun.written.join(', '))
    : trans.__('It is there already, and was left as it is');
}
