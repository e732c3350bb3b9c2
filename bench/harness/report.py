"""The tables of bench/run: for people at a terminal, and for bench/RESULTS.md."""

from . import limit as limits_of, measure, page, scenarios, servers

BEGIN = "<!-- bench/run --results writes from here -->"
END = "<!-- to here -->"
SATURATED_MIN = 0.93  # a server's core that is busy for a smaller share of the time has not reached its limit
PERCENTILES = ("p50_us", "p99_us", "p99.9_us")


def text_of(value, pattern="{:,.1f}"):
    return "" if value is None else pattern.format(value)


def cpu(runs, kind):
    """The median of what one of its units cost a server, us; None where it was not measured."""
    own = measure.of(runs, kind)
    return measure.summary(runs, kind)["server_cpu_us"] if own else None


def times(runs, peer):
    """How many times as much a peer's unit costs, with the lowest and highest of neighbouring runs."""
    ours, theirs = measure.of(runs, servers.OWN), measure.of(runs, peer)
    if not ours or not theirs:
        return ""
    ratio = measure.ratio(theirs, ours, "server_cpu_us")
    return f"{ratio['median']:.2f}x ({ratio['low']:.2f} to {ratio['high']:.2f})"


def cost_table(results, kinds, limits):
    """What one handshake, request or MiB costs each server, and how that compares."""
    peers = kinds[1:]
    table = [["CPU of the server for each, us", *kinds, *(f"{peer} : sallyport" for peer in peers), "share of the limit"]]
    for scenario in rated(results):
        if scenario.share or scenario.group == "scaling":
            continue
        runs = results[scenario.name]
        table.append([scenario.name + (" (MiB)" if scenario.mib else ""), *(text_of(cpu(runs, kind)) for kind in kinds),
                      *(times(runs, peer) for peer in peers), share_text(limits, scenario.name)])
    return table


def share_text(limits, name):
    if limits is None or name not in limits["scenarios"]:
        return ""
    shares = {kind: one["share"] for kind, one in limits["scenarios"][name].items()}
    single = f" (single path {shares[servers.SINGLE]:.0%})" if servers.SINGLE in shares else ""
    return f"{shares[servers.OWN]:.0%}{single}" if servers.OWN in shares else ""


def rated(results):
    return [scenario for scenario in scenarios.ALL if scenario.name in results and not scenario.held]


def rate_table(results, kinds):
    """What each server answered in a second, and how its latency was when all waited for it."""
    table = [["a second (busy), p99 at saturation, ms", *kinds]]
    for scenario in rated(results):
        if scenario.share or scenario.fresh or scenario.group == "scaling":
            continue
        row = [scenario.name + (" (MiB)" if scenario.mib else "")]
        for kind in kinds:
            if not measure.of(results[scenario.name], kind):
                row.append("")
                continue
            figures = measure.summary(results[scenario.name], kind)
            late = f", {figures['p99_us'] / 1e3:,.1f}" if "p99_us" in figures else ""
            row.append(f"{figures['per_second']:,.0f} ({figures['server_busy']:.0%}){late}")
        table.append(row)
    return table


def idle_table(results, kinds):
    table = [["KiB of an idle connection", *kinds]]
    for scenario in scenarios.ALL:
        if scenario.held and scenario.name in results:
            by_kind = {run["server"]: run["bytes_per_connection"] / 1024 for run in results[scenario.name]}
            table.append([scenario.name, *(text_of(by_kind.get(kind)) for kind in kinds)])
    return table


def scaling_table(results):
    table = [["Sallyport as it grows", "CPU for each, us", "a second", "p99, ms", "resident, MiB"]]
    for scenario in rated(results):
        if scenario.group == "scaling":
            figures = measure.summary(results[scenario.name], servers.OWN)
            table.append([f"{scenario.name}: {scenario.title}", text_of(figures["server_cpu_us"]), text_of(figures["per_second"], "{:,.0f}"),
                          text_of(figures["p99_us"] / 1e3) if "p99_us" in figures else "", text_of(figures["rss"] / 2**20)])
    return table


def latency_table(results, kinds):
    table = [["latency p50 / p99 / p99.9, ms (begun a second)", *kinds]]
    for scenario in rated(results):
        if scenario.share:
            row = [scenario.name]
            for kind in kinds:
                own = measure.of(results[scenario.name], kind)
                figures = measure.summary(results[scenario.name], kind) if own else {}
                row.append(" / ".join(f"{figures[name] / 1e3:,.2f}" for name in PERCENTILES) + f" ({own[0]['rate']:,.0f})" if own else "")
            table.append(row)
    return table


def limit_table(limits):
    """What the limit of each scenario was summed from."""
    if limits is None:
        return [["limit"]]
    table = [["the least that each takes, us", "public keys, batched (single)", "AES-GCM", "bare echo", "sum, batched (single)"]]
    for name, by_kind in limits["scenarios"].items():
        one = next(iter(by_kind.values()))["parts"]
        keys, single = one["batched"], one["single"]
        rest = one["aes_gcm"] + one["echo"]
        pair = "{:,.1f} ({:,.1f})"
        table.append([name, pair.format(keys, single), text_of(one["aes_gcm"]), text_of(one["echo"]),
                      pair.format(keys + rest, single + rest)])
    return table


def tables(results, kinds, limits):
    """Those that have a row."""
    made = [cost_table(results, kinds, limits), rate_table(results, kinds), latency_table(results, kinds), idle_table(results, kinds),
            scaling_table(results), limit_table(limits)]
    return [table for table in made if len(table) > 1]


def as_text(made):
    parts = []
    for table in made:
        widths = [max(map(len, column)) for column in zip(*table)]
        parts.append("\n".join("  ".join(cell.ljust(width) if place == 0 else cell.rjust(width)
                                         for place, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in table))
    return "\n\n".join(parts)


def as_markdown(table):
    lines = ["| " + " | ".join(line) + " |" for line in table]
    return [lines[0], "|" + " --- |" * len(table[0]), *lines[1:]]


def remarks(results, kinds):
    """The lines under the tables."""
    for kind in kinds:
        waited = [scenario.name for scenario in rated(results)
                  if not (scenario.share or scenario.fresh or scenario.shards > 1) and measure.of(results[scenario.name], kind)
                  and measure.summary(results[scenario.name], kind)["server_busy"] < SATURATED_MIN]
        if waited:
            yield (f"{kind} was busy less than {SATURATED_MIN:.0%} of the time, since the load or others held it up, so that its rate is "
                   f"a lower bound, in: {', '.join(waited)}.")
    if all(measure.of(results.get(name, []), servers.OWN) for name in (scenarios.BASE, "handshake-pq")):
        ours = [measure.of(results[name], servers.OWN) for name in ("handshake-pq", scenarios.BASE)]
        yield f"X25519MLKEM768 beside X25519, ours: {measure.ratio(*ours, 'server_cpu_us')['median']:.2f}x the CPU."


def publish(path, where, chosen, made, said, charts):
    """Replaces the block between the marks. `charts`: {file beside it: what it shows}."""
    versions = ", ".join(f"{kind}: {version}" for kind, version in where["versions"].items())
    block = [
        *page.wrapped(f"{where['date']}, {where['cpu']}, {where['cores']} cores, Linux {where['kernel']}, commit {where['commit']}. "
                      f"{versions}."), "",
        *page.wrapped(f"`{where['command']}`: {chosen.repeats} runs of {chosen.seconds:g} s each, taking turns, {chosen.connections} "
                      "connections; medians, and ratios with their lowest and highest pair. "
                      f"Before the run others used {where['others_busy']:.0%} of a core."), "",
        *(line for name, what in charts.items() for line in (f"![{what}]({name})", "")),
    ]
    for table in made:
        block += [*as_markdown(table), ""]
    block += [*page.wrapped(limits_of.EXPLAINED), ""]
    block += [line for remark in said for line in page.wrapped(f"- {remark}")]
    page.replace(path, BEGIN, END, block)
