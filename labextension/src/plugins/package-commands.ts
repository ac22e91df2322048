/**
 * The commands that work on the notebook's package: export, run, prove, promote, roll back.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, showDialog } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { textArg } from '../args';
import type { PackageModel } from '../package';
import { isSaved } from '../saved';
import { CommandIDs, IPackageModel } from '../tokens';

export const packageCommands: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:package-commands',
  description: 'Adds the commands that export, run, prove and promote.',
  autoStart: true,
  requires: [IPackageModel, INotebookTracker],
  optional: [ITranslator, ICommandPalette],
  activate: (
    app,
    model: PackageModel,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    const category = trans.__('Production Pipeline');
    const isReady = () => model.path !== null && !model.isBusy;
    const work = [
      {
        id: CommandIDs.exportPackage,
        label: trans.__('Export Package'),
        kind: 'export' as const
      },
      {
        id: CommandIDs.run,
        label: trans.__('Run and Prove Pipeline'),
        kind: 'run' as const
      },
      {
        id: CommandIDs.runAnew,
        label: trans.__('Run All Stages Anew'),
        caption: trans.__(
          'Run and prove without restoring what an earlier run has done'
        ),
        kind: 'run' as const,
        anew: true
      },
      {
        id: CommandIDs.verify,
        label: trans.__('Prove Package Again'),
        kind: 'verify' as const
      }
    ];
    for (const { id, label, caption, kind, anew } of work) {
      app.commands.addCommand(id, {
        label,
        caption: caption ?? '',
        isEnabled: isReady,
        execute: async () => {
          const { path } = model;
          if ((await isSaved(tracker.currentWidget)) && model.path === path) {
            await model.start(kind, {}, anew ?? false);
          }
        }
      });
    }
    app.commands.addCommand(CommandIDs.reproduce, {
      label: trans.__('Reproduce Run'),
      isEnabled: isReady,
      execute: async args => {
        const run = textArg(args.run);
        if (run !== undefined) {
          await model.reproduce(run);
        }
      }
    });
    app.commands.addCommand(CommandIDs.gather, {
      label: trans.__('Gather Evidence'),
      caption: trans.__('Make the evidence of the checklist that takes time'),
      isEnabled: isReady,
      execute: async args => {
        const items = Array.isArray(args.items) ? args.items.map(String) : [];
        await model.gather(items);
      }
    });
    app.commands.addCommand(CommandIDs.cancel, {
      label: trans.__('Cancel Pipeline Run'),
      isEnabled: () => model.isBusy,
      execute: () => model.cancel()
    });
    app.commands.addCommand(CommandIDs.dismiss, {
      label: trans.__('Dismiss Pipeline Message'),
      isEnabled: () =>
        model.state.problem !== null ||
        (model.state.job !== null && !model.isBusy),
      execute: () => {
        model.dismiss();
      }
    });
    app.commands.addCommand(CommandIDs.promote, {
      label: args =>
        typeof args.version === 'number'
          ? trans.__('Promote Version %1', args.version)
          : trans.__('Promote Version'),
      isEnabled: () => model.path !== null,
      execute: async args => {
        if (typeof args.version === 'number') {
          await model.promote(args.version);
        }
      }
    });
    app.commands.addCommand(CommandIDs.rollback, {
      label: trans.__('Roll Back Champion'),
      isEnabled: () => model.path !== null,
      execute: async () => {
        const answer = await showDialog({
          title: trans.__('Roll back the champion?'),
          body: trans.__(
            'Champion stands again for the version that it stood for before.'
          ),
          buttons: [
            Dialog.cancelButton(),
            Dialog.okButton({ label: trans.__('Roll Back') })
          ]
        });
        if (answer.button.accept) {
          await model.rollback();
        }
      }
    });
    for (const command of [
      CommandIDs.exportPackage,
      CommandIDs.run,
      CommandIDs.runAnew,
      CommandIDs.verify,
      CommandIDs.gather,
      CommandIDs.cancel,
      CommandIDs.rollback
    ]) {
      palette?.addItem({ command, category });
    }
    const own = [
      ...work.map(({ id }) => id),
      CommandIDs.gather,
      CommandIDs.cancel,
      CommandIDs.dismiss,
      CommandIDs.promote,
      CommandIDs.rollback
    ];
    model.stateChanged.connect(() => {
      for (const id of own) {
        app.commands.notifyCommandChanged(id);
      }
    });
  }
};
