"""wrk, a load generator for HTTP/1.1: its command line, and what it prints. It has no client certificates."""

import re

UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}
NAME = "localhost"  # it looks the host up, and sends no other name


def command(server, path, seconds, connections):
    return [str(part) for part in ("wrk", "-t", 1, "-c", connections, "-d", f"{max(1, round(seconds))}s", "--latency",
                                   f"https://{NAME}:{server.port}{path}")]


def result(output):
    """{"answers_per_second", "answers", "latency_us"}, or None when any request failed."""
    requests = re.search(r"^ +(\d+) requests in ", output, re.MULTILINE)
    rate = re.search(r"^Requests/sec: +([\d.]+)", output, re.MULTILINE)
    failed = re.search(r"Non-2xx or 3xx responses|Socket errors", output)
    if requests is None or rate is None or failed or int(requests[1]) == 0:
        return None
    percentiles = re.findall(r"^ +(50|99)% +([\d.]+)(us|ms|s|m)$", output, re.MULTILINE)
    return {"answers": int(requests[1]), "answers_per_second": float(rate[1]),
            "latency_us": {"request": {f"p{name}": float(value) * UNITS[unit] for name, value, unit in percentiles}}}
