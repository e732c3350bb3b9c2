"""
The least that each scenario can cost the server, measured in the same run, and what share of the server's CPU that is.

Three sorts of work are summed: public-key operations (one at a time, or an eighth of a batch of eight by crypto_mb),
AES-GCM of all bytes, and a bare io_uring echo of the same accepts, bytes and closes (bench/limit).
"""

import json
import statistics
import subprocess

from . import measure as runs_of, servers
from .processes import pin

EXPLAINED = (
    "The limit of a scenario is the sum of three things, each timed alone on the server's core in the same run. Public keys: those "
    "operations that the server cannot do without, at their price one at a time (wolfCrypt, and crypto/p256 for signatures by P-256, "
    "whose keys are known or new) or, batched, at an eighth of a full batch of eight (crypto_mb), where that is less; of a new "
    "certificate the leaf's signature and CertificateVerify count, but not the intermediate's, which can be remembered. AES-GCM: "
    "all bytes of the connection both ways, in records of 256 bytes, or of 16 KiB for bodies. Bare echo: a server of nothing but io_uring, without TLS, HTTP, timers and limits, that accepts as many "
    "connections, receives and sends as many bytes in as many steps, to an origin too, and closes. Hashes, key schedules, parsing and "
    "memory are in none of them. The share is that sum to the CPU that was measured.")

LANES = 8
ORIGIN_REQUEST, ORIGIN_ANSWER = 448, 96  # bytes that are relayed for a small request
ANSWER, REQUEST = 192, 160               # bytes of a small answer and a request to a client
ECHO_MIB_MAX = 4                         # of a body that is echoed at a time: more would cost the same
SHORT, RECORD = 256, 16 * 1024           # of the two prices of AES-GCM
ROUNDED = 64                             # bytes: exchanges that differ by less are one


def prices(single, lanes):
    """{operation: {"single": us, "batched": us}} of what was timed, ns: lanes is None on a processor that has none."""
    batched = {name: lane["call_ns"] / LANES for name, lane in (lanes or {}).items()}
    if "p256_verify" in batched:
        batched["p256_verify_new"] = batched["p256_verify"]
    return {name: {"single": ns / 1e3, "batched": min(ns, batched.get(name, ns)) / 1e3} for name, ns in single.items()}


def keys(price, operations, path):
    return sum(count * price[name][path] for name, count in operations)


def aes_gcm(price, scenario, exchanged):
    """Of all bytes of one unit, us."""
    if scenario.mib:
        return 2**20 / RECORD * price["aes_gcm_16k"]["single"]
    return (exchanged["in"] + exchanged["out"]) / SHORT * price["aes_gcm_256"]["single"]


def rounded(size):
    return max(ROUNDED, ROUNDED * round(size / ROUNDED))


def echoed_mib(scenario):
    return min(scenario.mib, ECHO_MIB_MAX)


def scripts(scenario, exchanged):
    """{"server": ..., "client": ..., "origin": ...}: the steps of one exchange, see sallyport-limit --help."""
    come, go = rounded(exchanged["in"]), rounded(exchanged["out"])
    body = int(echoed_mib(scenario) * 2**20)
    origin = f"r{ORIGIN_REQUEST} s{ORIGIN_ANSWER} l"
    relay = f"S{ORIGIN_REQUEST} R{ORIGIN_ANSWER}"
    # A handshake is a hello, a flight, and a flight with the request; the answer is behind it.
    hello, flight = rounded(come / 4), max(ROUNDED, go - ANSWER)
    proof = max(ROUNDED, come - hello)
    return {
        "connection": {"server": f"r{hello} s{flight} r{proof} {relay} s{ANSWER} w", "client": f"s{hello} r{flight} s{proof} r{ANSWER} c",
                       "origin": origin},
        "refused": {"server": f"r{hello} s{flight} r{proof} s{ANSWER} w", "client": f"s{hello} r{flight} s{proof} r{ANSWER} c"},
        "dropped": {"server": f"r{come} c", "client": f"s{come} w"},
        "request": {"server": f"r{come} {relay} s{go} l", "client": f"s{come} r{go} l", "origin": origin},
        "download": {"server": f"r{REQUEST} S{ORIGIN_REQUEST} f{body} l", "client": f"s{REQUEST} r{body} l",
                     "origin": f"r{ORIGIN_REQUEST} s{body} l"},
        "upload": {"server": f"r{REQUEST} S{ORIGIN_REQUEST} F{body} R{ORIGIN_ANSWER} s{ANSWER} l",
                   "client": f"s{REQUEST} s{body} r{ANSWER} l", "origin": f"r{ORIGIN_REQUEST + body} s{ORIGIN_ANSWER} l"},
    }[scenario.echo]


def exchanged_by(own):
    """The median bytes of a unit; of a small request where the load does not tell."""
    told = [run["bytes"] for run in own if run["bytes"]]
    return {way: statistics.median(one[way] for one in told) if told else default for way, default in (("in", REQUEST), ("out", ANSWER))}


def shares(scenario, own_by_kind, price, echo_us):
    """{kind: {"limit_us", "cpu_us", "share", "parts"}} of one scenario."""
    exchanged = exchanged_by(next(iter(own_by_kind.values())))
    parts = {"single": keys(price, scenario.operations, "single"), "batched": keys(price, scenario.operations, "batched"),
             "aes_gcm": 0.0 if scenario.echo == "dropped" else aes_gcm(price, scenario, exchanged), "echo": echo_us}
    found = {}
    for kind, own in own_by_kind.items():
        path = "batched" if own[0]["crypto"] == "accelerated-batch" else "single"
        limit = parts[path] + parts["aes_gcm"] + parts["echo"]
        cpu = statistics.median(run["server_cpu_us"] for run in own)
        found[kind] = {"limit_us": limit, "cpu_us": cpu, "share": limit / cpu, "path": path, "parts": parts}
    return found


class Timing:
    """Runs the programs of bench/limit and bench/micro."""

    def __init__(self, chosen, built):
        self.chosen = chosen
        self.built = built
        self.echoes = {}

    def run(self, *command):
        command = [str(part) for part in command]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, preexec_fn=pin(self.chosen.server_core))
        if result.returncode != 0:
            raise SystemExit(f"run: failed: {' '.join(command)}\n{result.stderr}{result.stdout}")
        return json.loads(result.stdout)

    def operations(self):
        """The prices of all that is timed alone."""
        single = self.run(self.built / "sallyport-limit", "crypto", "--rounds", 5 if self.chosen.quick else 41)
        lanes = self.run(self.built / "sallyport-micro", "--only", "lanes", "--json", "--rounds", 1 if self.chosen.quick else 15)["lanes"]
        return prices(single, lanes)

    def echo_us(self, scenario, exchanged):
        """Of one unit."""
        wanted = scripts(scenario, exchanged)
        options = [f"--{side}={script}" for side, script in wanted.items()]
        connections = scenario.connections or self.chosen.connections
        key = (*options, connections)
        if key not in self.echoes:
            # The measured process moves itself to the server's core, and its clients to the other.
            command = [self.built / "sallyport-limit", "echo", *options, "--connections", connections, "--server-core",
                       self.chosen.server_core, "--load-core", self.chosen.load_core, "--ms", 200 if self.chosen.quick else 1500]
            result = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=120)
            if result.returncode != 0:
                raise SystemExit(f"run: failed: {' '.join(map(str, command))}\n{result.stderr}{result.stdout}")
            self.echoes[key] = json.loads(result.stdout)["ns"] / 1e3
        return self.echoes[key] / (echoed_mib(scenario) or 1)


def measure(chosen, built, results):
    """{"prices", "scenarios"} for all that has a limit and was measured."""
    timing = Timing(chosen, built)
    price = timing.operations()
    found = {}
    for scenario in chosen.scenarios:
        if not scenario.echo or scenario.name not in results:
            continue
        own = {kind: runs_of.of(results[scenario.name], kind) for kind in (servers.OWN, servers.SINGLE)}
        own = {kind: runs for kind, runs in own.items() if runs}
        echo = timing.echo_us(scenario, exchanged_by(next(iter(own.values()))))
        found[scenario.name] = shares(scenario, own, price, echo)
    return {"prices": price, "scenarios": found}
