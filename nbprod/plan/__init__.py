"""From what is known of a notebook to what is extracted from it."""

from nbprod.plan.choosing import Choice
from nbprod.plan.making import make_plan

__all__ = ["Choice", "make_plan"]
