"""The charts of bench/run: what a unit costs each server, the share of the limit, and the latency; bars, SVG, for light and dark."""

from html import escape

from . import measure, picture, scenarios, servers

LEFT, RIGHT, TOP, BOTTOM = 190, 90, 56, 24
PLOT = 520


def grouped_bars(title, groups, series, text_of, wanted=None):
    """
    A file with a row for each of `groups`, {name: [value or None, ...]}, and in it a bar for each of `series`, as long as its value
    is to the largest of all. `wanted`: where a line stands.
    """
    group = len(series) * (picture.BAR + picture.GAP) - picture.GAP + picture.GROUP_GAP
    width, height = LEFT + PLOT + RIGHT, TOP + len(groups) * group + picture.GROUP_GAP + BOTTOM
    values = [value for row in groups.values() for value in row if value is not None]
    scale = PLOT / max([*values, wanted or 0, 1e-9])
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
             f"<title>{escape(title)}</title>", f"<style>\n{picture.STYLE}</style>",
             f'<text class="title" x="{LEFT}" y="20">{escape(title)}</text>', *legend(series)]
    for place, (name, row) in enumerate(groups.items()):
        top = TOP + picture.GROUP_GAP + place * group
        lines.append(f'<text x="{LEFT - 8}" y="{top + (group - picture.GROUP_GAP) / 2 + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        for number, value in enumerate(row):
            if value is not None:
                y, length = top + number * (picture.BAR + picture.GAP), max(1.0, value * scale)
                lines.append(f'<rect class="s{number}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{picture.BAR}"/>')
                lines.append(f'<text class="value" x="{LEFT + length + 4:.1f}" y="{y + 9}">{escape(text_of(value))}</text>')
    if wanted is not None:
        x = LEFT + wanted * scale
        lines.append(f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>')
        lines.append(f'<text class="goal-text" x="{x:.1f}" y="{height - BOTTOM + 14}" text-anchor="middle">{escape(text_of(wanted))}</text>')
    return "\n".join([*lines, "</svg>", ""])


def legend(series):
    place = LEFT
    for number, name in enumerate(series):
        yield f'<rect class="s{number}" x="{place}" y="34" width="11" height="11"/><text x="{place + 16}" y="44">{escape(name)}</text>'
        place += 30 + 8 * len(name)


def medians(results, kinds, wanted, key):
    """{scenario: [median of each server or None]} of the wanted ones that were measured."""
    groups = {}
    for scenario in scenarios.ALL:
        if scenario.name in results and wanted(scenario):
            groups[scenario.name] = [measure.summary(results[scenario.name], kind).get(key) if measure.of(results[scenario.name], kind) else None
                                     for kind in kinds]
    return groups


def costs(results, kinds):
    groups = medians(results, kinds, lambda one: one.group == "handshakes", "server_cpu_us")
    return grouped_bars("CPU of the server for each connection, us", groups, kinds, "{:,.0f}".format)


def limit_shares(limits):
    kinds = [servers.OWN, servers.SINGLE]
    groups = {name: [by_kind[kind]["share"] if kind in by_kind else None for kind in kinds] for name, by_kind in limits["scenarios"].items()}
    return grouped_bars("Share of the limit: bare operations and bytes to the CPU that was measured", groups, kinds, "{:.0%}".format, wanted=1.0)


def latencies(results, kinds):
    groups = medians(results, kinds, lambda one: one.share > 0 and not one.alike, "p99_us")
    groups = {name: [value and value / 1e3 for value in row] for name, row in groups.items()}
    return grouped_bars("p99 of a handshake with its request, ms, at a share of each server's saturation", groups, kinds, "{:,.1f}".format)


def write(folder, results, kinds, limits):
    """Files in a folder, of those that have a bar: {name: what it shows}."""
    drawn = {"run-cpu.svg": ("CPU of the server for each connection", costs(results, kinds))}
    if limits is not None:
        drawn["run-limit.svg"] = ("Share of the limit", limit_shares(limits))
    drawn["run-latency.svg"] = ("Latency below saturation", latencies(results, kinds))
    drawn = {name: (what, text) for name, (what, text) in drawn.items() if 'class="value"' in text}
    for name, (_, text) in drawn.items():
        (folder / name).write_text(text)
    return {name: what for name, (what, _) in drawn.items()}
