"""Fields of cells with numbers in them, side by side: as SVG for documents, as characters for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

Place = tuple[int, int]

CELL, GAP, TOP = 34, 40, 26  # pixels
STYLE = """
.paper{fill:#fff}.cell{fill:#fff;stroke:#8b949e;stroke-width:1}.padding{fill:#e6e9ed;stroke-dasharray:3 2}
.read{fill:#cfe3f3}
.mark{fill:#fdd9ac}.zero{fill:#f3f4f6}.window{fill:none;stroke:#00639c;stroke-width:2.5}text{fill:#1c2128;
font:13px system-ui,sans-serif;text-anchor:middle;dominant-baseline:central}.title{font-weight:600;text-anchor:start}
.faint{fill:#6e7781}@media(prefers-color-scheme:dark){.paper{fill:#14181d}.cell{fill:#14181d;stroke:#6e7781}
.padding{fill:#272e36}
.read{fill:#1f4a68}.mark{fill:#8a4a12}.zero{fill:#1c2229}.window{stroke:#74bdf2}text{fill:#e4e8ec}.faint{fill:#9aa5b1}}
"""


@dataclass(frozen=True)
class Panel:
    """A field of cells.

    Attributes
    ----------
    title : str
    cells : tuple of tuple of str
        What stands in each cell.
    kinds : dict
        For cells that are not plain: ``padding``, ``read``, ``mark`` or ``zero``.
    sign : str
        What stands before it, such as ``=``.
    window : (Place, Place) or None
        The corner and the extent of a frame.
    """

    title: str
    cells: tuple[tuple[str, ...], ...]
    kinds: dict[Place, str] = field(default_factory=dict)
    sign: str = ""
    window: tuple[Place, Place] | None = None

    @property
    def width(self) -> int:
        """How wide a cell is, in pixels, so that what stands in it fits."""
        return max(CELL, 10 + 8 * max((len(text) for row in self.cells for text in row), default=0))


def svg(panels: Sequence[Panel], description: str) -> str:
    """Draw panels side by side as one SVG document, on paper of its own, light or dark as the reader wants it.

    Examples
    --------
    >>> svg([Panel("x", (("1", "2"),))], "Two numbers.").splitlines()[1]
    '<title>Two numbers.</title>'
    """
    left, parts = 5, []
    height = TOP + CELL * max(len(panel.cells) for panel in panels)
    for panel in panels:
        if panel.sign:
            parts.append(_text(left + GAP // 2, TOP + CELL * len(panel.cells) // 2, panel.sign, "sign"))
            left += GAP
        parts.append(_panel(panel, left))
        left += max(panel.width * len(panel.cells[0]), 8 * len(panel.title))
    size = f'viewBox="0 0 {left + 5} {height + 10}" width="{left + 5}" height="{height + 10}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    paper = '<rect width="100%" height="100%" class="paper"/>'
    return "\n".join(
        [head, f"<title>{escape(description)}</title>", f"<style>{STYLE}</style>", paper, *parts, "</svg>\n"]
    )


def lines(panel: Panel) -> list[str]:
    r"""Draw a panel in characters: what is read in brackets, what is marked between stars, padding as a dot.

    Examples
    --------
    >>> print(*lines(Panel("x", (("1", "22"), ("3", "")), {(0, 1): "read", (1, 1): "padding"})), sep="\n")
    x
       1  [22]
       3    .
    """
    width = max((len(text) for row in panel.cells for text in row), default=0)
    return [panel.title, *("".join(_word(panel, i, j, width) for j in range(len(row))).rstrip()
                           for i, row in enumerate(panel.cells))]  # fmt: skip


def _word(panel: Panel, row: int, column: int, width: int) -> str:
    kind = panel.kinds.get((row, column), "")
    before, after = {"read": ("[", "]"), "mark": ("*", "*")}.get(kind, (" ", " "))
    text = panel.cells[row][column] or ("." if kind == "padding" else "")
    return f" {before}{text:>{width}}{after}"


def _panel(panel: Panel, left: int) -> str:
    parts = [_text(left, 10, panel.title, "title")]
    for i, row in enumerate(panel.cells):
        for j, text in enumerate(row):
            x, y, kind = left + j * panel.width, TOP + i * CELL, panel.kinds.get((i, j), "")
            classes = f"cell {kind}".strip()
            parts.append(f'<rect x="{x}" y="{y}" width="{panel.width}" height="{CELL}" class="{classes}"/>')
            if text:
                parts.append(_text(x + panel.width // 2, y + CELL // 2, text, "faint" if kind == "zero" else ""))
    if panel.window:
        corner, extent = panel.window
        x, y = left + corner[1] * panel.width, TOP + corner[0] * CELL
        size = f'width="{extent[1] * panel.width}" height="{extent[0] * CELL}"'
        parts.append(f'<rect x="{x}" y="{y}" {size} class="window"/>')
    return "\n".join(parts)


def _text(x: int, y: int, text: str, kind: str) -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{name}>{escape(text)}</text>'
