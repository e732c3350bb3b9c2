"""The picture of bench/flood: what known clients keep under each flood, as bars; SVG, readable on light and on dark."""

from html import escape

from . import flooding, floods

LEFT, RIGHT, TOP, BOTTOM = 130, 60, 56, 34
PLOT = 520
BAR, GAP, GROUP_GAP = 11, 2, 10
STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 14px; font-weight: 600 }
.value { font-size: 10px }
.grid { stroke: #d0d7de; stroke-width: 1 }
.goal { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 4 3 }
.goal-text { fill: #cf222e; font-size: 10px }
.s0 { fill: #1f6feb } .s1 { fill: #8c959f } .s2 { fill: #bc8cff } .s3 { fill: #d29922 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .grid { stroke: #3d444d }
  .goal { stroke: #ff7b72 }
  .goal-text { fill: #ff7b72 }
  .s0 { fill: #58a6ff } .s1 { fill: #768390 } .s2 { fill: #a371f7 } .s3 { fill: #e3b341 }
}
"""


def x_of(share):
    return LEFT + PLOT * min(max(share, 0.0), 1.1) / 1.1


def legend(kinds):
    place = LEFT
    for number, kind in enumerate(kinds):
        yield f'<rect class="s{number}" x="{place}" y="34" width="11" height="11"/><text x="{place + 16}" y="44">{escape(kind)}</text>'
        place += 30 + 8 * len(kind)


def scale(height, wanted):
    for percent in range(0, 101, 20):
        x = x_of(percent / 100)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>'
        yield f'<text x="{x:.1f}" y="{height - BOTTOM + 16}" text-anchor="middle">{percent}%</text>'
    x = x_of(wanted)
    yield f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>'
    yield f'<text class="goal-text" x="{x:.1f}" y="{height - BOTTOM + 29}" text-anchor="middle">asked for: {wanted:.0%}</text>'


def throughput_kept(results, kinds):
    """The whole file. `results` is {flood: {"rounds": ...}}."""
    group = len(kinds) * (BAR + GAP) - GAP + GROUP_GAP
    height = TOP + len(results) * group + GROUP_GAP + BOTTOM
    width = LEFT + PLOT + RIGHT
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
             "<title>Throughput that known clients keep under each flood</title>", f"<style>\n{STYLE}</style>",
             f'<text class="title" x="{LEFT}" y="20">Throughput that known clients keep while others attack</text>',
             *legend(kinds), *scale(height, floods.BY_NAME[next(iter(results))].kept_min)]
    for place, (name, result) in enumerate(results.items()):
        top = TOP + GROUP_GAP + place * group
        lines.append(f'<text x="{LEFT - 8}" y="{top + (group - GROUP_GAP) / 2 + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        for number, kind in enumerate(kinds):
            kept = flooding.summary(result["rounds"], kind)["kept"]
            y = top + number * (BAR + GAP)
            lines.append(f'<rect class="s{number}" x="{LEFT}" y="{y}" width="{max(1.0, x_of(kept) - LEFT):.1f}" height="{BAR}"/>')
            lines.append(f'<text class="value" x="{x_of(kept) + 4:.1f}" y="{y + 9}">{kept:.0%}</text>')
    return "\n".join([*lines, "</svg>", ""])
