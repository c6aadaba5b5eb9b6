"""Results as text."""

from __future__ import annotations

from measure import Figure, Result, Target


def duration(seconds: float) -> str:
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.3g} {unit}"
        count /= 1000
    return ""


def row(figure: Figure, fastest: float) -> list[str]:
    seconds = figure.each(lambda sample: sample.seconds)
    peak = max(sample.peak_kb for sample in figure.samples)
    written = max(sample.bytes_written for sample in figure.samples) / figure.count
    return [figure.name, str(figure.count), duration(figure.median), duration(min(seconds)), duration(max(seconds)),
            f"{figure.median / fastest:.3g}", size(peak * 1024), size(written) if written else "-", figure.note]


def aligned(rows: list[list[str]]) -> list[str]:
    """The first and the last column to the left, what is between them to the right."""
    widths = [max(len(each[column]) for each in rows) for column in range(len(rows[0]))]
    lines = []
    for each in rows:
        cells = [each[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(each[1:-1], widths[1:-1])]
        lines.append(("  " + "  ".join(cells) + "  " + each[-1]).rstrip())
    return lines


def figures(result: Result) -> list[list[str]]:
    fastest = min(figure.median for figure in result.figures)
    rows = [["", f"{result.unit}s", f"a {result.unit}", "min", "max", "ratio", "memory", f"disk a {result.unit}", ""]]
    return rows + [row(figure, fastest) for figure in result.figures]


def verdict(target: Target) -> str:
    return f"{target.words}: {target.measured} (wanted: {target.limit}){target.reason}"


def text(result: Result) -> str:
    lines = [f"{result.name}: {result.about}"]
    if result.figures:
        lines += aligned(figures(result))
    for each in result.tables:
        lines += ["", f"  {each.title}", *aligned(each.rows)]
    if result.tables:
        lines.append("")
    lines += [f"  {'holds ' if target.holds else 'MISSED'}  {verdict(target)}" for target in result.targets]
    lines += [f"  {note}" for note in result.notes]
    return "\n".join(lines)
