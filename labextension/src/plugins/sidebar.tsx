/**
 * Shows the sidebar: a head, and below it a section for each thing that there is to see.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, SidePanel } from '@jupyterlab/ui-components';
import type { AccordionPanel } from '@lumino/widgets';
import React from 'react';

import { CellList } from '../components/cell-list';
import type { Execute } from '../components/common';
import { Divergence } from '../components/divergence';
import { Features } from '../components/features';
import { Header } from '../components/header';
import { Notice } from '../components/notice';
import { Pipeline } from '../components/pipeline';
import { Readiness } from '../components/readiness';
import { Versions } from '../components/versions';
import { nbprodIcon } from '../icons';
import type { INotebookState, NbprodModel } from '../model';
import type { PackageModel } from '../package';
import { CommandIDs, INbprodModel, IPackageModel } from '../tokens';

const OPEN_SECTIONS = 'nbprod:open-sections';

/** A section: how it is called where it is open or closed, and what it shows. */
interface ISection {
  readonly id: string;
  readonly label: (state: INotebookState) => string;
  readonly render: (state: INotebookState) => React.ReactElement;
}

export const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'nbprod:sidebar',
  description: 'Adds the sidebar with the pipeline of the current notebook.',
  autoStart: true,
  requires: [INbprodModel, IPackageModel],
  optional: [ITranslator, ICommandPalette, ILayoutRestorer, IStateDB],
  activate: (
    app,
    model: NbprodModel,
    packageModel: PackageModel,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    stateDB: IStateDB | null
  ) => {
    const trans = (translator ?? nullTranslator).load('nbprod');
    const execute: Execute = (command, args = {}) => {
      void app.commands.execute(command, args);
    };
    const panel = new SidePanel({ translator: translator ?? nullTranslator });
    panel.id = 'nbprod-sidebar';
    panel.addClass('nbprod-Sidebar');
    panel.title.icon = nbprodIcon;
    panel.title.caption = trans.__('Production Pipeline');
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', trans.__('Production Pipeline'));

    const header = new Live(() => (
      <Header
        state={model.state}
        package={packageModel.state}
        execute={execute}
        trans={trans}
      />
    ));
    panel.header.addWidget(header);
    const sections = sectionsOf(packageModel, execute, trans);
    const widgets = sections.map(section => {
      const widget = new Live(() =>
        model.state.kind === 'notebook' ? (
          section.render(model.state)
        ) : (
          <Notice title={trans.__('No notebook is open')} />
        )
      );
      widget.id = `nbprod-${section.id}`;
      widget.addClass('nbprod-Section');
      panel.addWidget(widget);
      return widget;
    });
    const accordion = panel.content as AccordionPanel;
    widgets.forEach((_, index) => {
      if (index > 0) {
        accordion.collapse(index);
      }
    });

    const show = () => {
      const { state } = model;
      panel.content.setHidden(state.kind !== 'notebook');
      header.update();
      widgets.forEach((widget, index) => {
        const section = sections[index];
        if (section && state.kind === 'notebook') {
          widget.title.label = section.label(state);
        }
        if (widget.isVisible) {
          widget.update();
        }
      });
    };
    model.stateChanged.connect(show);
    packageModel.stateChanged.connect(show);
    show();
    app.shell.add(panel, 'right', { rank: 400, type: 'Production Pipeline' });
    restorer?.add(panel, panel.id);
    if (stateDB) {
      void keepOpenSections(accordion, sections, stateDB, app.restored);
    }

    app.commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Production Pipeline'),
      icon: nbprodIcon,
      execute: () => {
        app.shell.activateById(panel.id);
      }
    });
    palette?.addItem({
      command: CommandIDs.showPanel,
      category: trans.__('Production Pipeline')
    });
  }
};

/** A widget that draws anew whenever it is shown or told to. */
class Live extends ReactWidget {
  constructor(private readonly _draw: () => React.ReactElement) {
    super();
  }

  protected render(): React.ReactElement {
    return this._draw();
  }

  protected override onAfterShow(): void {
    this.update();
  }
}

function sectionsOf(
  packageModel: PackageModel,
  execute: Execute,
  trans: TranslationBundle
): ISection[] {
  const common = { execute, trans };
  return [
    {
      id: 'pipeline',
      label: state => {
        const tagged = state.cells.filter(cell => cell.role !== null).length;
        return trans.__('Pipeline (%1/%2)', tagged, state.cells.length);
      },
      render: state => (
        <Pipeline state={state} {...common}>
          <CellList state={state} {...common} />
        </Pipeline>
      )
    },
    {
      id: 'features',
      label: state => {
        const count = state.study?.features.length ?? 0;
        return count > 0
          ? trans.__('Features (%1)', count)
          : trans.__('Features');
      },
      render: state => <Features state={state} {...common} />
    },
    {
      id: 'divergence',
      label: state => {
        const { study } = state;
        const count =
          (study?.check.divergences.length ?? 0) +
          (study?.findings.length ?? 0);
        return count > 0
          ? trans.__('Divergence (%1)', count)
          : trans.__('Divergence');
      },
      render: state => (
        <Divergence state={state} {...common} isBusy={packageModel.isBusy} />
      )
    },
    {
      id: 'readiness',
      label: () => {
        const items = packageModel.state.readiness?.items ?? [];
        const done = items.filter(item => item.status === 'yes').length;
        return items.length > 0
          ? trans.__('Readiness (%1/%2)', done, items.length)
          : trans.__('Readiness');
      },
      render: state => (
        <Readiness
          state={packageModel.state}
          ids={state.studiedIds}
          {...common}
        />
      )
    },
    {
      id: 'versions',
      label: state => {
        const newest = state.study?.check.version ?? null;
        return newest === null
          ? trans.__('Runs and versions')
          : trans.__('Runs and versions (v%1)', newest);
      },
      render: () => <Versions state={packageModel.state} {...common} />
    }
  ];
}

/** Open the sections that were open before, and remember which are. */
async function keepOpenSections(
  accordion: AccordionPanel,
  sections: readonly ISection[],
  stateDB: IStateDB,
  restored: Promise<void>
): Promise<void> {
  await restored;
  const known = await stateDB.fetch(OPEN_SECTIONS);
  if (Array.isArray(known)) {
    sections.forEach((section, index) => {
      if (known.includes(section.id)) {
        accordion.expand(index);
      } else {
        accordion.collapse(index);
      }
    });
  }
  accordion.expansionToggled.connect(() => {
    const open = sections
      .filter((_, index) => accordion.widgets[index]?.isVisible)
      .map(section => section.id);
    void stateDB.save(OPEN_SECTIONS, open);
  });
}
