"""A document as HTML: escaped, without scripts, in the colours of JupyterLab's theme or of the page around it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from nbprod.display.document import Block, Code, Document, Item, Items, Line, Table, Tone

# The theme's variables in JupyterLab and Notebook 7, then those of VS Code; last what reads on light and on dark.
COLOUR: dict[Tone, str] = {
    "good": "var(--jp-success-color1, var(--vscode-testing-iconPassed, #2e8540))",
    "warning": "var(--jp-warn-color1, var(--vscode-editorWarning-foreground, #b7791f))",
    "bad": "var(--jp-error-color1, var(--vscode-editorError-foreground, #d64545))",
    "plain": "var(--jp-ui-font-color2, var(--vscode-descriptionForeground, inherit))",
}
BORDER = "var(--jp-border-color2, var(--vscode-panel-border, rgba(128, 128, 128, 0.4)))"
BEHIND = "var(--jp-layout-color2, var(--vscode-textCodeBlock-background, rgba(128, 128, 128, 0.12)))"
TEXT = "var(--jp-ui-font-color1, var(--vscode-foreground, inherit))"
FONT = "var(--jp-ui-font-family, var(--vscode-font-family, sans-serif))"
CODE_FONT = "var(--jp-code-font-family, var(--vscode-editor-font-family, monospace))"
SIGN: dict[Tone, str] = {"good": "✓", "warning": "!", "bad": "✗", "plain": "·"}


def html(document: Document) -> str:
    """The document as one element."""
    head = _tag("strong", escape(document.title)) + " " + _badge(document.word, document.tone)
    meaning = _muted(document.meaning) if document.meaning else ""
    body = "".join(map(_block, document.blocks))
    style = f"color: {TEXT}; font-family: {FONT}; font-size: 13px; line-height: 1.5; max-width: 72em"
    return _tag("div", _tag("div", f"{head} {meaning}") + body, style)


def _block(block: Block) -> str:
    match block:
        case Line(text, tone):
            return _tag(
                "div", escape(text), "margin-top: 6px" + ("" if tone == "plain" else f"; color: {COLOUR[tone]}")
            )
        case Items(heading, items):
            return _heading(heading) + "".join(map(_item, items))
        case Table(heading, head, rows):
            return _heading(heading) + _table(head, rows)
        case Code(heading, lines):
            return _heading(heading) + _code(lines)


def _item(item: Item) -> str:
    what = _tag("span", f"{SIGN[item.tone]} {escape(item.label)}", f"color: {COLOUR[item.tone]}; font-weight: 600")
    place = " " + _muted(item.place) if item.place else ""
    parts = [_tag("div", f"{what} {escape(item.text)}{place}")]
    if item.code:
        parts.append(_pre(item.code))
    parts.extend(_tag("div", _muted(each)) for each in item.details)
    return _tag("div", "".join(parts), f"border-left: 2px solid {COLOUR[item.tone]}; padding-left: 8px; margin: 6px 0")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cell = f"border-bottom: 1px solid {BORDER}; padding: 2px 12px 2px 0; text-align: left; vertical-align: top"
    titles = "".join(f'<th scope="col" style="{cell}">{escape(title)}</th>' for title in head)
    body = "".join(_tag("tr", "".join(_tag("td", escape(text), cell) for text in row)) for row in rows)
    table = _tag("table", f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody>", "border-collapse: collapse")
    return _tag("div", table, "overflow-x: auto")


def _code(lines: Iterable[tuple[int, str]]) -> str:
    return _pre("\n".join(f"{number:>3}  {text}" for number, text in lines))


def _pre(text: str) -> str:
    style = f"background: {BEHIND}; color: {TEXT}; font-family: {CODE_FONT}; margin: 4px 0; padding: 4px 8px"
    return _tag("pre", escape(text), style + "; overflow-x: auto; white-space: pre")


def _heading(text: str) -> str:
    return _tag("div", escape(text), "font-weight: 600; margin-top: 8px") if text else ""


def _badge(word: str, tone: Tone) -> str:
    style = f"border: 1px solid {COLOUR[tone]}; border-radius: 3px; color: {COLOUR[tone]}; padding: 0 6px"
    return _tag("span", escape(word), style) if word else ""


def _muted(text: str) -> str:
    return _tag("span", escape(text), f"color: {COLOUR['plain']}")


def _tag(name: str, inside: str, style: str = "") -> str:
    return f'<{name} style="{style}">{inside}</{name}>' if style else f"<{name}>{inside}</{name}>"
