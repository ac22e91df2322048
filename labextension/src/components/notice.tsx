/**
 * A calm message: what is so, and what to do about it.
 */
import React from 'react';

/** A message in the place of a list, or above it. */
export function Notice(props: {
  title: string;
  children?: React.ReactNode;
}): React.ReactElement {
  return (
    <div className="nbprod-Notice" role="status">
      <div className="nbprod-Notice-title">{props.title}</div>
      {props.children && (
        <div className="nbprod-Notice-text">{props.children}</div>
      )}
    </div>
  );
}
