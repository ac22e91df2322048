/**
 * A role as a small coloured label.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { roleDescription, roleLabel } from '../labels';
import type { Role } from '../roles';

/** The label of a role, to read. */
export function RoleChip(props: {
  role: Role;
  trans: TranslationBundle;
}): React.ReactElement {
  const { role, trans } = props;
  return (
    <span
      className="nbprod-Chip"
      data-nbprod-role={role}
      title={roleDescription(role, trans)}
    >
      {roleLabel(role, trans)}
    </span>
  );
}

/** The label of a role, to press: pressed where the cell has the role. */
export function RoleToggle(props: {
  role: Role;
  pressed: boolean;
  suggested: boolean;
  disabled: boolean;
  trans: TranslationBundle;
  onToggle: () => void;
}): React.ReactElement {
  const { role, pressed, suggested, disabled, trans, onToggle } = props;
  return (
    <button
      type="button"
      className="nbprod-Chip nbprod-RoleToggle"
      data-nbprod-role={role}
      data-suggested={suggested || undefined}
      aria-pressed={pressed}
      disabled={disabled}
      title={roleDescription(role, trans)}
      onClick={onToggle}
    >
      {roleLabel(role, trans)}
      {pressed && !disabled && <ClearMark />}
    </button>
  );
}

/** A small cross: pressing the label that bears it clears the role. */
export function ClearMark(): React.ReactElement {
  return (
    <closeIcon.react
      tag="span"
      className="nbprod-ClearMark"
      width="8px"
      height="8px"
      aria-hidden="true"
    />
  );
}
