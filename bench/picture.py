"""Bars as SVG, readable on light and on dark ground: nothing is painted behind, and the ink is between both."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

_COLOURS = {"ours": "#0d9488", "floor": "#9aa3af", "peer": "#c2853a"}
_WORDS = {"ours": "diskless", "floor": "floor: static C, fixed address", "peer": "others"}
_WIDTH, _LABELS, _BARS = 760, 210, 440
_ROW, _HEAD, _GAP = 24, 34, 16


@dataclass(frozen=True)
class Bar:
    label: str
    kind: str
    value: float
    text: str
    low: float = 0.0   # what the runs lie between; 0: is not shown
    high: float = 0.0
    open_end: bool = False  # more than the value


@dataclass(frozen=True)
class Panel:
    title: str
    bars: list[Bar]

    @property
    def height(self) -> int:
        return _HEAD + _ROW * len(self.bars) + _GAP


def _bar(bar: Bar, y: float, scale: float) -> list[str]:
    colour = _COLOURS[bar.kind]
    width = max(1.5, bar.value * scale)
    middle = y + _ROW / 2
    lines = [f'<text class="label" x="{_LABELS - 10}" y="{middle + 4:.1f}" text-anchor="end">{escape(bar.label)}</text>',
             f'<rect x="{_LABELS}" y="{y + 4:.1f}" width="{width:.1f}" height="{_ROW - 8}" rx="2" fill="{colour}"/>']
    end = _LABELS + width
    if bar.open_end:
        lines.append(f'<path d="M{end:.1f} {y + 4:.1f}l8 {(_ROW - 8) / 2}l-8 {(_ROW - 8) / 2}z" fill="{colour}"/>')
        end += 8
    elif bar.high > bar.low and (bar.high - bar.low) * scale > 2:
        low, high = _LABELS + bar.low * scale, _LABELS + bar.high * scale
        lines.append(f'<path class="range" d="M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} {middle - 3:.1f}v6M{high:.1f} '
                     f'{middle - 3:.1f}v6"/>')
        end = max(end, high)
    lines.append(f'<text class="value" x="{end + 7:.1f}" y="{middle + 4:.1f}">{escape(bar.text)}</text>')
    return lines


def _panel(panel: Panel, y: float) -> list[str]:
    scale = _BARS / max(max(bar.value, bar.high) for bar in panel.bars)
    lines = [f'<text class="title" x="0" y="{y + 20:.1f}">{escape(panel.title)}</text>',
             f'<path class="axis" d="M{_LABELS} {y + _HEAD:.1f}v{_ROW * len(panel.bars)}"/>']
    for number, bar in enumerate(panel.bars):
        lines += _bar(bar, y + _HEAD + _ROW * number, scale)
    return lines


def svg(title: str, panels: list[Panel]) -> str:
    panels = [panel for panel in panels if panel.bars]
    height = 30 + sum(panel.height for panel in panels)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 {_WIDTH + 16} {height}" width="{_WIDTH + 16}" '
             f'height="{height}" role="img" aria-label="{escape(title)}">',
             "<style>text{font:12px sans-serif;fill:#7b8494}.title{font-weight:bold;font-size:13px}.value{font-weight:bold}"
             ".range{stroke:#7b8494;fill:none}.axis{stroke:#7b8494;stroke-opacity:.5}"
             "@media(prefers-color-scheme:light){text{fill:#3f4753}}@media(prefers-color-scheme:dark){text{fill:#c3c9d2}}"
             "</style>"]
    x = 0.0
    for kind, words in _WORDS.items():
        lines += [f'<rect x="{x}" y="8" width="12" height="12" rx="2" fill="{_COLOURS[kind]}"/>',
                  f'<text x="{x + 18}" y="18">{escape(words)}</text>']
        x += 40 + 6.5 * len(words)
    y = 30.0
    for panel in panels:
        lines += _panel(panel, y)
        y += panel.height
    return "\n".join([*lines, "</svg>", ""])
