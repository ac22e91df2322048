/**
 * Shows the sidebar: a head, and below it a section for each thing that there is to see.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
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
import { countOf, notesOfState } from '../notes';
import type { PackageModel } from '../package';
import { markedCell } from '../run-marks';
import { CommandIDs, INbprodModel, IPackageModel } from '../tokens';

const OPEN_SECTIONS = 'nbprod:open-sections';

/** Pixels that an open section has at least when another one is opened or closed. */
const LEAST_HEIGHT = 60;

/** A section: how it is called where it is open or closed, and what it shows of the notebook or of its package. */
interface ISection {
  readonly follows: 'notebook' | 'package' | 'both';
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
      app.commands.execute(command, args).catch((error: unknown) => {
        void showErrorMessage(trans.__('Production Pipeline'), String(error));
      });
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
    refitOnResize(accordion);
    giveRoom(accordion);
    widgets.forEach((_, index) => {
      if (index > 0) {
        accordion.collapse(index);
      }
    });

    const show = (changed: 'notebook' | 'package' | null) => {
      const { state } = model;
      panel.content.setHidden(state.kind !== 'notebook');
      header.update();
      sections.forEach((section, index) => {
        const widget = widgets[index];
        if (widget === undefined || state.kind !== 'notebook') {
          return;
        }
        widget.title.label = section.label(state);
        // A package that is polled is no reason to draw anew what does not show it.
        const isTold = changed !== 'package' || section.follows !== 'notebook';
        if (widget.isVisible && isTold) {
          widget.update();
        }
      });
    };
    model.stateChanged.connect(() => {
      show('notebook');
    });
    packageModel.stateChanged.connect(() => {
      show('package');
    });
    show(null);
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

/** Lay the sections out anew where the head above them takes more room, or less: Lumino hears of windows alone. */
function refitOnResize(accordion: AccordionPanel): void {
  const observer = new ResizeObserver(() => {
    accordion.update();
  });
  observer.observe(accordion.node);
  accordion.disposed.connect(() => {
    observer.disconnect();
  });
}

/** Share the height among the open sections where one has none: Lumino gives back what it had before it was closed. */
function giveRoom(accordion: AccordionPanel): void {
  accordion.expansionToggled.connect(() => {
    // Lumino lays them out in its next frame, which was asked for before this one.
    window.requestAnimationFrame(() => {
      const { widgets } = accordion;
      const isLow = widgets.some(
        each => !each.isHidden && each.node.offsetHeight < LEAST_HEIGHT
      );
      if (isLow) {
        accordion.setRelativeSizes(
          widgets.map(each => (each.isHidden ? 0 : 1))
        );
      }
    });
  });
}

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
      follows: 'both',
      label: state => {
        const tagged = state.cells.filter(cell => cell.role !== null).length;
        return trans.__('Pipeline (%1/%2)', tagged, state.cells.length);
      },
      render: state => (
        <Pipeline state={state} {...common}>
          <CellList
            state={state}
            marked={markedCell(packageModel.state.job, state.studiedIds)}
            {...common}
          />
        </Pipeline>
      )
    },
    {
      id: 'features',
      follows: 'notebook',
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
      follows: 'notebook',
      label: state => {
        const count = countOf(notesOfState(state, trans));
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
      follows: 'package',
      label: () => {
        const items = packageModel.state.readiness?.items ?? [];
        const done = items.filter(item => item.state === 'proved').length;
        return items.length > 0
          ? trans.__('Readiness (%1/%2)', done, items.length)
          : trans.__('Readiness');
      },
      render: state => (
        <Readiness
          state={packageModel.state}
          ids={state.studiedIds}
          studyProblem={state.problem}
          {...common}
          isBusy={packageModel.isBusy}
        />
      )
    },
    {
      id: 'versions',
      follows: 'package',
      label: state => {
        const newest = state.study?.check.version ?? null;
        return newest === null
          ? trans.__('Runs and versions')
          : trans.__('Runs and versions (v%1)', newest);
      },
      render: state => (
        <Versions
          state={packageModel.state}
          studyProblem={state.problem}
          {...common}
        />
      )
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
