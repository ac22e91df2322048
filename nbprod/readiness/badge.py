"""The score as a badge for a README: one SVG file that asks nothing of any server."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

LEFT = "readiness"
HEIGHT = 20
PER_CHARACTER, PADDING = 6.6, 12
"""Pixels of a character in Verdana of 11 pixels, on average, and around the text of a part."""


def badge(report: Mapping[str, Any]) -> str:
    """The SVG of a checklist, as `nbprod readiness --format json` gives it."""
    blocked, opened = len(report["blockers"]), len(report["open"])
    right = f"{blocked} blocking" if blocked else f"{report['score']:.0%}, {opened} open" if opened else "ready"
    colour = "#c03221" if blocked else "#8a6d0b" if opened else "#2c7a3f"
    first, second = (round(len(text) * PER_CHARACTER + PADDING) for text in (LEFT, right))
    width, label = first + second, f"{LEFT}: {right}"
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" role="img" aria-label="{escape(label)}">
  <title>{escape(label)}</title>
  <clipPath id="r"><rect width="{width}" height="{HEIGHT}" rx="3"/></clipPath>
  <g clip-path="url(#r)">
    <rect width="{first}" height="{HEIGHT}" fill="#444c56"/>
    <rect x="{first}" width="{second}" height="{HEIGHT}" fill="{colour}"/>
  </g>
  <g fill="#fff" text-anchor="middle" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11">
    <text x="{first / 2:g}" y="14">{LEFT}</text>
    <text x="{first + second / 2:g}" y="14">{escape(right)}</text>
  </g>
</svg>
"""
