"""The model that is served, as text."""

from __future__ import annotations

from typing import Any

import click


def model_text(model: dict[str, Any]) -> str:
    """The model that is served, and how it was chosen where that was not told."""
    what = f"{model['name']} ({model['estimator'].rpartition('.')[2]})"
    return what + click.style(f": {model['why']}; --model names another", fg="yellow") if model["why"] else what
