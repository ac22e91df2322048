"""What a version must pass to be promoted: one gate a module, each a function from a case to what it found."""

from nbprod.api.gates.case import Case, blocking
from nbprod.api.gates.judging import judged

__all__ = ["Case", "blocking", "judged"]
