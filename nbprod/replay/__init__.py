"""Proof that an exported package gives what the notebook gave: fit, replay, and where the two part."""

from nbprod.replay.live import Held, Raw, compare_live
from nbprod.replay.measuring import measure, report_on_model, split_rows
from nbprod.replay.runners import Runners
from nbprod.replay.verify import fit, replay

__all__ = ["Held", "Raw", "Runners", "compare_live", "fit", "measure", "replay", "report_on_model", "split_rows"]
