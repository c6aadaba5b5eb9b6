"""The page that a run writes: ratios first, then what the targets say, then everything that was measured."""

from __future__ import annotations

from pathlib import Path

import picture
import table
from measure import Result, Target


def markdown(rows: list[list[str]]) -> list[str]:
    """The first row is the header; columns that are empty throughout are left out."""
    columns = [column for column in range(len(rows[0])) if any(row[column] for row in rows)]
    cells = [[row[column].replace("|", "\\|") for column in columns] for row in rows]
    last = len(rows[0]) - 1
    rule = ["---" if column in (0, last) else "--:" for column in columns]
    return [f"| {' | '.join(row)} |" for row in (cells[0], rule, *cells[1:])]


def _targets(targets: list[tuple[str, Target]]) -> list[str]:
    rows = [["bench", "target", "measured", "wanted", ""]]
    for bench, target in targets:
        rows.append([bench, target.words, target.measured, target.limit,
                     "holds" if target.holds else f"**missed**{target.reason}"])
    return markdown(rows)


def _list(heading: str, lines: list[str]) -> list[str]:
    return ["", f"## {heading}", "", *(f"* {line}" for line in lines)] if lines else []


def page(results: list[Result], machine: str, command: str, picture_name: str) -> str:
    lines = ["# Performance", "",
             f"This page was written by `{command}` and is written anew by it. Figures depend on the machine, ratios much less: compare "
             "within this page, not with another machine.", ""]
    if "--quick" in command:
        lines += ["A run without `--quick` takes 35 to 40 minutes: more runs of each figure, 16 nodes at once, storms of 1000, "
                  "reboots under systemd, two more peers.", ""]
    lines += [f"* {line}" for result in results for line in result.headlines]
    if any(result.panels for result in results):
        lines += ["", f"![bars of the figures below]({picture_name})"]
    targets = [(result.name, target) for result in results for target in result.targets]
    if targets:
        held = sum(target.holds for _, target in targets)
        lines += ["", "## Targets", "", f"{held} of {len(targets)} hold.", "", *_targets(targets)]
    for result in results:
        lines += ["", f"## {result.name}", "", f"{result.about}."]
        if result.figures:
            lines += ["", *markdown(table.figures(result))]
        for each in result.tables:
            lines += ["", f"**{each.title}**", "", *markdown(each.rows)]
        lines += [line for note in result.notes for line in ("", note)]
    lines += _list("Machine and versions", [machine, *(line for result in results for line in result.versions)])
    lines += _list("How it is measured", [line for result in results for line in result.method])
    lines += _list("What it does not show", [line for result in results for line in result.limits])
    return "\n".join(lines) + "\n"


def write(path: Path, results: list[Result], machine: str, command: str) -> None:
    """The page, and beside it the picture that it shows."""
    drawing = path.with_suffix(".svg")
    panels = [panel for result in results for panel in result.panels]
    path.write_text(page(results, machine, command, drawing.name), encoding="utf-8")
    if panels:
        drawing.write_text(picture.svg("performance", panels), encoding="utf-8")
