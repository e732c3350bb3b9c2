"""The tables: for people at a terminal, and for bench/RESULTS.md."""

import re

from . import measure, modes, page

BEGIN = "<!-- bench/run --results writes from here -->"
END = "<!-- to here -->"

# The figures that have to be reached: (mode, peer) to the ratio that has to be reached, and the bytes of an idle connection.
RATIO_MIN = {("handshake", "nginx"): 4.0, ("resumed", "nginx"): 5.0, ("request", "nginx"): 1.0,
             ("h2-bulk", "nginx"): 1.0, ("h2-bulk", "haproxy"): 1.0}
# The same by server CPU: how many times as many for each second of it.
CPU_RATIO_MIN = {("h2-request", "nginx"): 1.5, ("h2-request", "haproxy"): 1.5}
IDLE_BYTES_MAX = {"idle": 24 * 1024, "h2-idle": 10 * 1024}
# And of Sallyport's modes among themselves: what, one mode, the other, figure, what is asked for.
OWN = [
    ("rate with a known chain to that without the cache", "handshake", "uncached", "per_second", "at least", 1.5),
    ("server CPU of an invalid certificate to that of a known valid one", "invalid", "handshake", "server_cpu_us", "at most", 1.0),
]

FIGURES = [
    ("per_second", "{unit} a second", "{:,.0f}", 1),
    ("server_cpu_us", "server CPU for each {unit}, us", "{:,.1f}", 1),
    ("server_busy", "server process busy", "{:.0%}", 1),
    ("generator_busy", "generator busy", "{:.0%}", 1),
    ("p50_us", "latency p50, ms", "{:,.2f}", 1e-3),
    ("p99_us", "latency p99, ms", "{:,.2f}", 1e-3),
]


def measured(results, kinds):
    """(mode, its runs, the servers that it was measured with)."""
    for mode in modes.TURNS:
        if mode.name in results:
            yield mode, results[mode.name], kinds[:1] if mode.own else kinds


def rows_of_mode(mode, runs, kinds):
    summaries = {kind: measure.summary(runs, kind) for kind in kinds}
    for key, title, pattern, factor in FIGURES:
        if key not in summaries[kinds[0]]:
            continue
        title = " ".join(title.format(unit=mode.unit).split()).replace(" ,", ",")
        row = [f"{mode.name}: {title}"] + [pattern.format(summaries[kind][key] * factor) for kind in kinds]
        for peer in kinds[1:]:
            row.append(ratio_text(mode.name, runs, key, kinds[0], peer))
        yield row


def ratio_text(mode, runs, key, ours, peer):
    if key not in ("per_second", "server_cpu_us"):
        return ""
    ratio = measure.ratio(measure.of(runs, ours), measure.of(runs, peer), key)
    text = f"{ratio['median']:.2f}x ({ratio['low']:.2f} to {ratio['high']:.2f})"
    wanted, reached = RATIO_MIN.get((mode, peer)), ratio["median"]
    if key == "server_cpu_us":
        wanted, reached = CPU_RATIO_MIN.get((mode, peer)), 1 / ratio["median"]
        text += f", {reached:.2f}x as many by CPU" if wanted else ""
    if wanted is not None:
        text += f", {'reaches' if reached >= wanted else 'MISSES'} {wanted:g}x"
    return text


def rows_of_held(name, runs, kinds):
    by_kind = {run["server"]: run for run in runs}
    own = by_kind[kinds[0]]["bytes_per_connection"]
    limit = IDLE_BYTES_MAX[name]
    verdict = f"{'within' if own <= limit else 'BEYOND'} {limit // 1024} KiB"
    count = by_kind[kinds[0]]["connections"]
    peers = [f"{own / by_kind[peer]['bytes_per_connection']:.2f}x" for peer in kinds[1:]] or [""]
    peers[0] = f"{peers[0]}, {verdict}".removeprefix(", ")
    yield [f"{name}: KiB for each of {count}"] + [f"{by_kind[kind]['bytes_per_connection'] / 1024:.1f}" for kind in kinds] + peers
    for key, title in (("rss_before", "before"), ("rss_held", "held"), ("rss_after", "after their end")):
        yield [f"{name}: resident MiB, {title}"] + [f"{by_kind[kind][key] / 2**20:.1f}" for kind in kinds]


def rows(results, kinds):
    yield ["", *kinds, *(f"{kinds[0]} : {peer}" for peer in kinds[1:])]
    for mode, runs, with_kinds in measured(results, kinds):
        yield from rows_of_mode(mode, runs, with_kinds)
    for name in modes.HELD:
        if name in results:
            yield from rows_of_held(name, results[name], kinds)


def table(results, kinds):
    lines = [row + [""] * (2 * len(kinds) - len(row)) for row in rows(results, kinds)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) if place == 0 or place > len(kinds) else cell.rjust(width)
                               for place, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)


def markdown(results, kinds):
    lines = [row + [""] * (2 * len(kinds) - len(row)) for row in rows(results, kinds)]
    text = ["| " + " | ".join(line) + " |" for line in lines]
    text.insert(1, "|" + " --- |" * len(lines[0]))
    return "\n".join(text)


def own_ratios(results, kind):
    """Sallyport's modes against each other, in the same rounds."""
    for what, one, other, key, bound, wanted in OWN:
        if one not in results or other not in results:
            continue
        ratio = measure.ratio(measure.of(results[one], kind), measure.of(results[other], kind), key)
        reached = ratio["median"] >= wanted if bound == "at least" else ratio["median"] <= wanted
        yield (f"{one} : {other}, {what}: {ratio['median']:.2f}x ({ratio['low']:.2f} to {ratio['high']:.2f}), "
               f"{'reaches' if reached else 'MISSES'} {bound} {wanted:g}x.")


def cache_counts(results, kind):
    """The use that a median run made of Sallyport's cache of verified chains, when it tells."""
    for mode, runs, _ in measured(results, [kind]):
        counts = [run["cache"] for run in measure.of(runs, kind)]
        if mode.cache and None not in counts:
            share = sum(count[mode.cache] for count in counts) / sum(sum(count.values()) for count in counts)
            yield f"{mode.name}, {kind}: {share:.1%} of the look-ups in the cache of verified chains were {mode.cache}."


def unsaturated(results, kinds):
    """Runs in which the server's core had time left: their rate is a lower bound."""
    for mode, runs, with_kinds in measured(results, kinds):
        for kind in with_kinds:
            busy = measure.summary(runs, kind)["server_busy"]
            if busy < 0.93:
                yield f"{mode.name}, {kind}: the server was busy {busy:.0%} of the time, so its rate is a lower bound: compare the CPU for each."


def remarks(results, kinds):
    """The lines under the table."""
    yield from own_ratios(results, kinds[0])
    yield from cache_counts(results, kinds[0])
    yield from unsaturated(results, kinds)


def publish(path, where, chosen, results):
    """Replaces the block between the marks."""
    kinds = chosen.servers
    versions = ", ".join(f"{kind}: {version}" for kind, version in where["versions"].items())
    block = [
        *page.wrapped(f"{where['date']}, {where['cpu']}, {where['cores']} cores, Linux {where['kernel']}, commit {where['commit']}. "
                      f"{versions}."), "",
        *page.wrapped(f"`{where['command']}`: {chosen.repeats} runs of {chosen.seconds} s each, taking turns, {chosen.connections} "
                      "connections; medians, and ratios with their lowest and highest pair. "
                      f"Before the run others used {where['others_busy']:.0%} of a core."), "",
        markdown(results, kinds), "", *(line for remark in remarks(results, kinds) for line in page.wrapped(f"- {remark}"))]
    block += ["", "The load's commands, behind `taskset -c CORE`:", "", "```"]
    for mode in results:
        command = results[mode][0]["command"]
        block.append(re.sub(r"/\S*/(build\S*)", r"\1", " ".join(command)))
    page.replace(path, BEGIN, END, [*block, "```"])
