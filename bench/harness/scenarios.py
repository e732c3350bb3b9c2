"""
The scenarios of bench/run: each row of its table, the load that makes it, and how the servers are set up for it. Handshakes are
no full cross product: `handshake` is the base, and each of the others differs from it in what its name says.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    group: str               # of GROUPS
    load: str = "handshake"  # the generator's mode, "h2load" or "wrk"
    setup: str = "plain"     # of the servers, see servers.py
    clients: str = "clients"  # folder of the Pki: who connects
    options: tuple = ()      # of the generator
    server_key: str = "p256"
    key_group: str = ""      # the one that clients offer; "": X25519
    path: str = "/"
    connections: int = 0     # 0: as many as the command line has
    mib: float = 0           # of an answer or an upload; then a MiB is what is counted
    own: bool = False        # Sallyport alone
    single: bool = False     # --both-paths has it on the single path too
    cache: str = ""          # "hits" or "misses": what nearly all look-ups in Sallyport's cache of chains have to be
    operations: tuple = ()   # ((name, count), ...): the public-key operations that the server cannot do without, see limit.py
    echo: str = ""           # the exchange of bytes that it cannot do without, see limit.py; "": no limit is told
    fresh: int = 0           # that many connections to a server that was started for them alone
    held: bool = False       # `standing` connections that do nothing, whose memory counts
    standing: int = 0        # connections that are held meanwhile
    shards: int = 1
    hosts: int = 0           # 0: one
    identities: int = 0      # certificates of clients that the cache is filled with before
    share: float = 0         # open loop: that share of the rate which `handshake` has reached, with the latency from when each was due
    alike: bool = False      # of the rate of Sallyport's single path for both of its paths, which are compared

    def largest(self):
        """Connections that are there at the same time, but for those of the command line."""
        return self.standing + self.connections + (OPEN_MAX if self.share else 0)


GROUPS = {
    "handshakes": "Handshakes, and one request on each",
    "requests": "Requests on connections that stay",
    "bodies": "Large bodies",
    "idle": "Connections that do nothing",
    "scaling": "Scaling, Sallyport alone",
    "latency": "Latency below saturation",
}
HOSTS_MAX = 4096  # of Sallyport, see docs/contract.md
OPEN_MAX = 2048  # connections of an open loop
SOURCES = ("--source-addresses", 8)
SMALL_MIB, LARGE_MIB, BULK_MIB = 1, 100, 1024
RSA_SIGN, P256_SIGN = ("rsa2048_private", 1), ("p256_sign", 1)
EXCHANGE = (("x25519_public", 1), ("x25519_shared", 1))
FULL = (*EXCHANGE, P256_SIGN, ("p256_verify", 1))
KNOWN = {"group": "handshakes", "options": SOURCES, "cache": "hits", "single": True, "echo": "connection"}
ISSUED = (*SOURCES, "--expect", "status_200")

HANDSHAKES = [
    Scenario("handshake", "full, TLS 1.3, X25519, known client (P-256 leaf and intermediate), P-256 server", operations=FULL, **KNOWN),
    Scenario("handshake-light", "the base by a client that costs the generator a third less, for servers that it cannot saturate",
             "handshakes", "certificate", options=ISSUED, cache="hits", single=True, operations=FULL, echo="connection"),
    Scenario("handshake-new", "each client's certificate new", "handshakes", "issued", options=ISSUED, cache="misses", single=True,
             operations=(*EXCHANGE, P256_SIGN, ("p256_verify", 1), ("p256_verify_new", 1)), echo="connection"),
    Scenario("handshake-tls12", "TLS 1.2", operations=FULL, **{**KNOWN, "options": (*SOURCES, "--tls", "1.2")}),
    Scenario("handshake-pq", "X25519MLKEM768", key_group="X25519MLKEM768", operations=(*FULL, ("mlkem768_encapsulate", 1)), **KNOWN),
    Scenario("handshake-leaf-alone", "client sends a leaf that the root has issued", clients="clients_alone", operations=FULL, **KNOWN),
    Scenario("handshake-client-rsa", "client's key RSA-2048", clients="clients_rsa",
             operations=(*EXCHANGE, P256_SIGN, ("rsa2048_public", 1)), **KNOWN),
    Scenario("handshake-client-ed25519", "client's key Ed25519", clients="clients_ed25519",
             operations=(*EXCHANGE, P256_SIGN, ("ed25519_verify", 1)), **KNOWN),
    Scenario("handshake-server-rsa", "server's key RSA-2048", server_key="rsa2048",
             operations=(*EXCHANGE, RSA_SIGN, ("p256_verify", 1)), **KNOWN),
    Scenario("resumed", "resumed (psk_dhe_ke)", "handshakes", "resumed", "tickets", options=SOURCES, single=True, operations=EXCHANGE,
             echo="connection"),
    Scenario("resumed-light", "the same by a client that costs the generator half of that", "handshakes", "resumed-light", "tickets",
             options=SOURCES, single=True, operations=EXCHANGE, echo="connection"),
    Scenario("invalid", "self-signed certificate, answered 403", "handshakes", setup="unguarded", clients="rogues",
             options=(*SOURCES, "--expect", 403), single=True, operations=FULL, echo="refused"),
    Scenario("random", "random bytes that are no TLS, a source each, while calm", "handshakes", "random", fresh=40000, connections=1024,
             echo="dropped"),
]

REQUESTS = [
    Scenario("request", "GET, one after the other on each connection", "requests", "request", echo="request"),
    Scenario("request-wrk", "the same by wrk, without client certificates", "requests", "wrk", "report", echo="request"),
    Scenario("h2-request", "by h2load, 16 streams on each connection of HTTP/2", "requests", "h2load", "report"),
]


def body(name, title, mib, connections, **more):
    return Scenario(name, title, "bodies", "request", mib=mib, connections=connections, **more)


# Behind the others, so that a server which has held a large body is not measured in them.
BODIES = [
    body("answer-1m", "answers of 1 MiB", SMALL_MIB, 16, path=f"/bytes/{SMALL_MIB * 2**20}", echo="download"),
    body("answer-100m", "answers of 100 MiB", LARGE_MIB, 4, path=f"/bytes/{LARGE_MIB * 2**20}", echo="download"),
    body("upload-1m", "uploads of 1 MiB", SMALL_MIB, 16, options=("--upload", SMALL_MIB * 2**20), echo="upload"),
    body("upload-100m", "uploads of 100 MiB", LARGE_MIB, 4, options=("--upload", LARGE_MIB * 2**20), echo="upload"),
    Scenario("h2-bulk", "an answer of 1 GiB on one stream of HTTP/2, by h2load", "bodies", "h2load", "report",
             path=f"/bytes/{BULK_MIB * 2**20}", mib=BULK_MIB),
]

IDLE = [
    Scenario("idle-10000", "10,000 idle connections", "idle", held=True, standing=10000),
    Scenario("h2-idle-10000", "10,000 idle connections of HTTP/2", "idle", held=True, standing=10000, options=("--http2",)),
    Scenario("idle-50000", "50,000 idle connections", "idle", held=True, standing=50000),
]


def identities(count):
    name = f"identities-{count}"
    return Scenario(name, f"known clients, {count:,} identities in the cache", "scaling", "issued", "unguarded", options=ISSUED, own=True,
                    cache="hits", identities=count)


def standing(count, others):
    return Scenario(f"connections-{count}", f"GET, {count:,} connections, of which {count - others:,} stand idle", "scaling", "request",
                    connections=others, standing=count - others, own=True)


SCALING = [
    *(Scenario(f"shards-{count}", f"the base on {count} shard{'s' * (count > 1)}", "scaling", options=SOURCES, own=True, shards=count)
      for count in (1, 2)),
    *(Scenario(f"hosts-{count}", f"the base at {count:,} host{'s' * (count > 1)} in turn", "scaling", options=SOURCES, own=True, hosts=count)
      for count in (1, HOSTS_MAX)),
    *map(identities, (1, 1000, 1000000)),
    *(standing(count, min(count, 64)) for count in (10, 1000, 10000, 50000)),
]

LATENCY_TITLE = "the base, begun at {}% of the rate that saturates {}"
LATENCY = [
    *(Scenario(f"latency-{percent}", LATENCY_TITLE.format(percent, "the server"), "latency", options=SOURCES, share=percent / 100, single=True)
      for percent in (10, 50, 80)),
    *(Scenario(f"latency-alike-{percent}", LATENCY_TITLE.format(percent, "Sallyport's single path"), "latency", options=SOURCES,
               share=percent / 100, single=True, alike=True)
      for percent in (50, 80)),
]

ALL = [*HANDSHAKES, *REQUESTS, *BODIES, *IDLE, *SCALING, *LATENCY]
BY_NAME = {scenario.name: scenario for scenario in ALL}
BASE = "handshake"


def choose(text):
    """The scenarios that `--only` names, one by one or by group, in their usual order; ValueError with the name that is none."""
    if not text:
        return ALL
    wanted = text.split(",")
    for name in wanted:
        if name not in BY_NAME and name not in GROUPS:
            raise ValueError(name)
    return [scenario for scenario in ALL if scenario.name in wanted or scenario.group in wanted]


def shrunk(scenario):
    """For --quick: the same with few of what takes long to make."""
    mib = min(scenario.mib, 128)
    return dataclasses.replace(
        scenario, fresh=min(scenario.fresh, 4000), standing=min(scenario.standing, 500), hosts=min(scenario.hosts, 200),
        identities=min(scenario.identities, 2000), mib=mib,
        path=f"/bytes/{int(mib * 2**20)}" if scenario.path.startswith("/bytes/") else scenario.path)


def kinds_of(scenario, kinds):
    """Of the servers of a run, Sallyport first, those that have a scenario."""
    if scenario.own:
        return kinds[:1]
    if scenario.alike:
        return kinds[:2] if "sallyport-single" in kinds else []
    return [kind for kind in kinds if kind != "sallyport-single" or scenario.single]


def listing():
    """The lines of --list."""
    for group, title in GROUPS.items():
        yield f"{group}: {title}"
        for scenario in ALL:
            if scenario.group == group:
                yield f"  {scenario.name:25} {scenario.title}"
