"""What each cell does, by structural rules that people may add to, and the role that follows from it."""

from nbprod.analysis.roles.rules import STEPS, project_rules
from nbprod.analysis.roles.steps import steps_of, steps_of_cells
from nbprod.analysis.roles.suggestions import suggest

__all__ = ["STEPS", "project_rules", "steps_of", "steps_of_cells", "suggest"]
