/**
 * The extension's own icons.
 */
import { LabIcon } from '@jupyterlab/ui-components';

import nbprodSvg from '../style/icons/nbprod.svg';

export const nbprodIcon = new LabIcon({
  name: 'nbprod:nbprod',
  svgstr: nbprodSvg
});
