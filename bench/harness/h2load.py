"""h2load, the load generator of nghttp2: its command line, and what it prints. It has no client certificates."""

import re

STREAMS = 16  # on each connection


def command(scenario, server, name, seconds, connections):
    """Requests for `seconds`, or one answer where the scenario counts its bytes."""
    bounds = ("-n", 1, "-c", 1, "-m", 1) if scenario.mib else ("-D", max(1, round(seconds)), "-c", connections, "-m", STREAMS)
    return [str(part) for part in ("h2load", *bounds, "-t", 1, f"--connect-to={server.address}", f"https://{name}{scenario.path}")]


def result(scenario, output):
    """{"answers_per_second", "answers"}, or None when any request failed. Where bytes are counted, an answer is a MiB."""
    finished = re.search(r"^finished in ([\d.]+)(us|ms|s), ", output, re.MULTILINE)
    requests = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output)
    statuses = re.search(r"^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", output, re.MULTILINE)
    data = re.search(r"\((\d+)\) data$", output, re.MULTILINE)
    protocol = re.search(r"^Application protocol: (\S+)", output, re.MULTILINE)
    if None in (finished, requests, statuses, data, protocol) or protocol[1] != "h2":
        return None
    succeeded = int(requests[1])
    if succeeded == 0 or any(map(int, requests.groups()[1:])) or any(map(int, statuses.groups()[1:])):
        return None
    seconds = float(finished[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1}[finished[2]]
    answers = int(data[1]) / 2**20 if scenario.mib else succeeded
    return {"answers": answers, "answers_per_second": answers / seconds}
