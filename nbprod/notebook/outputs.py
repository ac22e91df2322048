"""What stands in the text of outputs: numbers as Python prints them, and the codes of colours."""

from __future__ import annotations

import re

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""What a terminal takes for a colour."""

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
"""A number, as part of a regular expression."""
