"""Pictures of figures: horizontal bars as SVG, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tests.bench.figures import number

_WIDTH, _LEFT, _RIGHT = 820, 310, 110
_ROW, _BAR, _TOP = 26, 16, 44
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:15px}.small{fill:#57606a}"
    ".ours{fill:#0f766e}.other{fill:#94a3b8}.target{stroke:#c2410c;stroke-width:2}.page{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9da7b3}.page{fill:#0d1117}.ours{fill:#2dd4bf}"
    ".other{fill:#64748b}.target{stroke:#fb923c}}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. target: where a budget's mark stands; ours: Roomwire's, not what it is compared with."""

    label: str
    value: float
    target: float | None = None
    ours: bool = True


def bars(title: str, unit: str, rows: Sequence[Bar]) -> str:
    """Draw bars from zero, with their values, and budgets as marks across them."""
    room = _WIDTH - _LEFT - _RIGHT
    most = max([row.value for row in rows] + [row.target or 0 for row in rows]) or 1
    height = _TOP + _ROW * len(rows) + 14
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}"><style>{_STYLE}</style>',
        f'<rect class="page" width="{_WIDTH}" height="{height}" rx="6"/>',
        f'<text class="title" x="16" y="26">{escape(title)} <tspan class="small">({escape(unit)})</tspan></text>',
    ]
    for place, row in enumerate(rows):
        lines += _bar(row, _TOP + place * _ROW, room / most)
    return "\n".join([*lines, "</svg>\n"])


def _bar(row: Bar, top: float, scale: float) -> list[str]:
    middle = top + _BAR - 3
    lines = [
        f'<text x="{_LEFT - 10}" y="{middle}" text-anchor="end">{escape(row.label)}</text>',
        f'<rect class="{"ours" if row.ours else "other"}" x="{_LEFT}" y="{top}" '
        f'width="{max(1.0, row.value * scale):.1f}" height="{_BAR}" rx="2"/>',
    ]
    end = row.value * scale
    if row.target is not None:
        at = _LEFT + row.target * scale
        lines.append(f'<line class="target" x1="{at:.1f}" x2="{at:.1f}" y1="{top - 3}" y2="{top + _BAR + 3}"/>')
        end = max(end, row.target * scale)
    return [*lines, f'<text class="small" x="{_LEFT + end + 8:.1f}" y="{middle}">{number(row.value)}</text>']
