"""The tables of bench/flood: for people at a terminal, and for bench/RESULTS.md."""

import re

from . import floods, flooding, page

# {over HTTP/2: (begin, end)}
MARKS = {
    False: ("<!-- bench/flood --results writes from here -->", "<!-- bench/flood: to here -->"),
    True: ("<!-- bench/flood --results writes attacks over HTTP/2 from here -->", "<!-- bench/flood: attacks over HTTP/2 to here -->"),
}

# What was asked for.
P99_RATIO_MAX = 3.0
RANDOM_CPU_MAX = 0.6  # of nginx's, for each connection of random bytes
HELLO_CPU_MAX = 0.1   # of nginx's for a ClientHello, for one that is refused
GROWTH_MAX = 16 * 2**20
SHARE_MIN = 0.9       # of the fair share: the rest is chance


def met(good):
    return "met" if good else "NOT MET"


def ratio_text(ratio):
    return "no answer" if ratio is None else f"{ratio:,.1f}x"


def kept_rows(results, kinds):
    """All floods of a table ask for the same share."""
    wanted = floods.BY_NAME[next(iter(results))].kept_min
    yield ["flood", *(f"kept, {kind}" for kind in kinds), f"at least {wanted:.0%}", *(f"p99, {kind}" for kind in kinds),
           f"at most {P99_RATIO_MAX:g}x"]
    for name, result in results.items():
        sums = [flooding.summary(result["rounds"], kind) for kind in kinds]
        own = sums[0]
        yield [name, *(f"{s['kept']:.0%} ({s['kept_low']:.0%} to {s['kept_high']:.0%})" for s in sums), met(own["kept"] >= wanted),
               *(ratio_text(s["p99_ratio"]) for s in sums), met(own["p99_ratio"] is not None and own["p99_ratio"] <= P99_RATIO_MAX)]


def cpu_verdict(name, sums, kinds):
    """Sallyport's CPU for each hostile connection against nginx's, where something was asked for."""
    own, wanted = {"random": ("hostile_cpu_us", RANDOM_CPU_MAX), "hello": ("bare_cpu_us", HELLO_CPU_MAX)}.get(name, (None, None))
    if wanted is None or "nginx" not in kinds:
        return ""
    theirs = sums[kinds.index("nginx")]["hostile_cpu_us"]
    if not theirs or sums[0][own] is None:
        return ""
    ratio = sums[0][own] / theirs
    return f"{ratio:.2f}x nginx's, at most {wanted:g}x: {met(ratio <= wanted)}"


def cost_text(cost_us):
    return "none came" if cost_us is None else f"{cost_us:,.1f}"


def cost_rows(results, kinds):
    yield ["flood", *(f"CPU for each, {kind}, us" for kind in kinds), "without handshakes", "asked for", *(f"a second, {kind}" for kind in kinds)]
    for name, result in results.items():
        sums = [flooding.summary(result["rounds"], kind) for kind in kinds]
        yield [name, *(cost_text(s["hostile_cpu_us"]) for s in sums), cost_text(sums[0]["bare_cpu_us"]), cpu_verdict(name, sums, kinds),
               *(f"{s['hostile_per_second']:,.0f}" for s in sums)]


def outcomes_text(runs):
    """What came of the hostile connections of all runs, the most frequent first."""
    total = {}
    for run in runs:
        for outcome, count in run["flood"]["outcomes"].items():
            total[outcome] = total.get(outcome, 0) + count
    everything = sum(total.values())
    shares = sorted(total.items(), key=lambda item: -item[1])
    return ", ".join(f"{outcome} {count / everything:.0%}" for outcome, count in shares if count >= 0.005 * everything) or "none ended"


def rejected_text(runs):
    total = {}
    for run in runs:
        for reason, count in (run["rejected"] or {}).items():
            total[reason] = total.get(reason, 0) + count
    return ", ".join(f"{reason} {count:,.0f}" for reason, count in sorted(total.items(), key=lambda item: -item[1]) if count) or "nobody"


def outcome_rows(results, kinds):
    yield ["flood", f"refused by {kinds[0]}, and why", *(f"what they saw, {kind}" for kind in kinds), "known clients that failed, "
           + kinds[0]]
    for name, result in results.items():
        runs = {kind: [one["flooded"] for one in result["rounds"] if one["server"] == kind] for kind in kinds}
        yield [name, rejected_text(runs[kinds[0]]), *(outcomes_text(runs[kind]) for kind in kinds),
               str(flooding.summary(result["rounds"], kinds[0])["known_failures"])]


def memory_rows(results, kinds):
    rows = [(name, memory) for name, result in results.items() for memory in result["memory"]]
    if not rows:
        return
    yield ["flood", "server", "seconds", "resident MiB before", "at its end", f"{flooding.WHOLE.recover:.0f} s after", "growth",
           f"at most {GROWTH_MAX // 2**20} MiB"]
    for name, memory in rows:
        growth = memory["rss_flooded"] - memory["rss_before"]
        yield [name, memory["server"], str(memory["seconds"]),
               *(f"{memory[key] / 2**20:.1f}" for key in ("rss_before", "rss_flooded", "rss_after")), f"{growth / 2**20:+.1f}",
               met(growth <= GROWTH_MAX) if memory["server"] == kinds[0] else ""]


def median_of(runs, figure):
    values = sorted(map(figure, runs))
    return values[len(values) // 2]


def new_rows(new, kinds):
    if not new:
        return
    yield [f"new clients, {floods.NEW_SOURCES} sources beside {new[0]['sources']:,} of a {floods.NEW_FLOOD.name} flood",
           "handshakes a second", "of what unknown sources got", "their share of the sources", "in proportion"]
    for kind in kinds:
        runs = [run for run in new if run["server"] == kind]
        share, fair = median_of(runs, lambda run: run["share"]), runs[0]["fair_share"]
        yield [kind, f"{median_of(runs, lambda run: run['new']['answers_per_second']):,.0f}", f"{share:.1%}", f"{fair:.1%}",
               met(share >= SHARE_MIN * fair) if kind == kinds[0] else ""]


def tables(results, new, kinds):
    made = [list(rows) for rows in (kept_rows(results, kinds) if results else (), cost_rows(results, kinds) if results else (),
                                    outcome_rows(results, kinds) if results else (), memory_rows(results, kinds), new_rows(new, kinds))]
    return [rows for rows in made if rows]


def aligned(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def markdown(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def text(results, new, kinds):
    return "\n\n".join(map(aligned, tables(results, new, kinds)))


def commands(results):
    for result in results.values():
        yield re.sub(r"/\S*/(build\S*)", r"\1", " ".join(map(str, result["rounds"][0]["flooded"]["flood"]["command"])))


def is_over_http2(group):
    """Whether a table's floods are attacks over HTTP/2. One that has new clients alone is not."""
    return bool(group) and floods.BY_NAME[next(iter(group))].http2


def picture_name(group):
    return "flood-http2.svg" if is_over_http2(group) else "flood.svg"


def publish(path, where, chosen, groups):
    """
    Replaces the blocks between the marks. `groups`: [({flood: result}, runs of new clients or None, the servers)], a set of tables
    for each. What was not measured stays as it is: attacks over HTTP/2, or the other floods.
    """
    for http2, (begin, end) in MARKS.items():
        own = [group for group in groups if is_over_http2(group[0]) == http2]
        if own:
            page.replace(path, begin, end, block(where, chosen, own))


def block(where, chosen, groups):
    results = {name: result for group, _, _ in groups for name, result in group.items()}
    versions = ", ".join(f"{kind}: {version}" for kind, version in where["versions"].items())
    lines = [
        *page.wrapped(f"{where['date']}, {where['cpu']}, {where['cores']} cores, Linux {where['kernel']}, commit {where['commit']}. "
                      f"{versions}."), "",
        *page.wrapped(f"`{where['command']}`: {chosen.repeats} rounds of {chosen.seconds} s calm and {chosen.seconds} s flooded each, "
                      f"{chosen.seconds} s of the flood alone, servers taking turns; medians, and the lowest and highest round. "
                      f"Before the run others used {where['others_busy']:.0%} of a core."), ""]
    for group, new, kinds in groups:
        if group:
            lines += [f"![Throughput that known clients keep under each flood]({picture_name(group)})", ""]
        for rows in tables(group, new, kinds):
            lines += [markdown(rows), ""]
    lines += ["The load's commands, behind `taskset -c CORE`, the floods' behind `chrt --idle 0` too:", "", "```"]
    if results:
        first = next(iter(results.values()))["rounds"][0]
        lines.append(re.sub(r"/\S*/(build\S*)", r"\1", " ".join(map(str, first["flooded"]["known"]["command"]))))
    return [*lines, *commands(results), "```"]
