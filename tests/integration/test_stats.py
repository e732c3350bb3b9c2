"""/stats.json: it is JSON, says what /metrics says, and moves with what happens."""

import json
import re
import time

import pytest

from conftest import SANITIZED, free_port
from pki import DAY

LATENCIES = ["accept_to_hello", "hello_queue", "handshake_full", "handshake_resumed", "verify_cached", "verify_full", "request", "origin"]


def stats(server):
    status, body = server.admin("/stats.json")
    assert status == 200
    return json.loads(body)


def until(server, condition, seconds=30):
    """The document, as soon as it satisfies the condition: samples are taken once a second."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        document = stats(server)
        if condition(document):
            return document
        time.sleep(0.1)
    raise AssertionError(json.dumps(document, indent=1))


def test_it_says_what_the_metrics_say(serve, host, pki):
    server = serve([host("m.test", "enforce"), host("o.test", "report"), host("off.test")], shards=2)
    server.curl("m.test", cert=pki.valid().bundle)
    server.curl("m.test")
    server.curl("o.test", cert=pki.expired().bundle, version="1.2")
    server.curl("no.test", "/", "-k", check=False)
    document = stats(server)
    metric = server.metric
    assert document["handshakes"]["ok"] == {"full": metric("sallyport_handshakes_total", result="ok", kind="full"), "resumed": 0}
    assert document["handshakes"]["failed"] == metric("sallyport_handshakes_total", result="failed") >= 1
    assert document["client_certs"]["by_reason"]["expired"] == document["client_certs"]["invalid"] == 1
    assert document["client_certs"]["none"] == 1 and document["client_certs"]["valid"] == 1
    assert document["cert_cache"]["misses"] == metric("sallyport_cert_cache_misses_total") == 2
    assert document["rejected"]["hello"]["unknown_host"] == 1
    assert document["rejected"]["certificate"]["denied"] == 1
    for stage, reasons in document["rejected"].items():
        for reason, count in reasons.items():
            assert count == metric("sallyport_rejected_total", stage=stage, reason=reason), (stage, reason)
    assert document["requests"] == {"total": 3, "by_code": {"200": 2, "403": 1}}
    assert len(document["shards"]) == 2
    assert sum(shard["connections_total"] for shard in document["shards"]) == metric("sallyport_connections_total")
    assert all(shard["admission_state"] == "calm" for shard in document["shards"])
    hosts = {entry["name"]: entry for entry in document["hosts"]}
    assert {name: entry["mode"] for name, entry in hosts.items()} == {"m.test": "enforce", "o.test": "report", "off.test": "off"}
    assert hosts["m.test"]["requests_by_code"] == {"200": 1, "403": 1}
    assert hosts["m.test"]["client_certs"] == {"ok": 1, "absent": 1}
    assert hosts["m.test"]["certificate"]["not_after"] == metric("sallyport_certificate_not_after_seconds", host="m.test")
    assert document["server"]["version"] in server.admin("/metrics")[1]


def test_latencies_count_what_happened(serve, host, pki):
    server = serve([host("m.test", "enforce")])
    server.curl("m.test", cert=pki.valid().bundle)
    server.curl("m.test", cert=pki.valid().bundle)
    server.curl("m.test")
    document = until(server, lambda found: found["latencies"]["request"]["since_start"]["count"] == 3)
    latencies = document["latencies"]
    assert sorted(latencies) == sorted(LATENCIES)
    counts = {name: latency["since_start"]["count"] for name, latency in latencies.items()}
    assert counts == {"accept_to_hello": 3, "hello_queue": 3, "handshake_full": 3, "handshake_resumed": 0, "verify_cached": 1,
                      "verify_full": 1, "request": 3, "origin": 2}
    for name, latency in latencies.items():
        for span in latency.values():
            points = [span[point] for point in ("p50", "p90", "p99", "p99.9", "max")]
            if span["count"] == 0:
                assert points == [None] * 5
            else:
                assert points == sorted(points) and 0 < points[0] and points[-1] < 10, name
    for name in ("sallyport_hello_seconds_count", "sallyport_admission_wait_seconds_count"):
        assert server.metric(name) == 3
    # And they pass from the last ten seconds.
    document = until(server, lambda found: found["latencies"]["request"]["last_10s"]["count"] == 0)
    assert document["latencies"]["request"]["since_start"]["count"] == 3


def test_history_shows_the_second_in_which_it_was(serve, host, pki):
    server = serve([host("m.test", "enforce")])
    until(server, lambda found: len(found["history"]["series"]["requests"]) >= 2)
    for _ in range(3):
        server.curl("m.test")
    document = until(server, lambda found: sum(found["history"]["series"]["requests"]) > 1.5)
    # Rates a second: a sample that comes late on a busy machine spreads them over more than one.
    series = document["history"]["series"]
    assert len({len(values) for values in series.values()}) == 1
    assert sum(series["handshakes_full"]) == pytest.approx(3, rel=0.5)
    assert sum(series["rejected_certificate"]) == pytest.approx(3, rel=0.5)
    assert sum(series["certs_none"]) == pytest.approx(3, rel=0.5)
    assert sum(series["certs_valid"]) == 0
    assert any(value is not None and value > 0 for value in series["request_p50"])
    assert series["request_p50"][0] is None
    assert document["history"]["end"] == pytest.approx(document["server"]["now"], abs=4)


def test_an_origin_that_is_gone_is_down_and_comes_back(serve, host, pki, nginx):
    gone = f"127.0.0.1:{free_port()}"
    server = serve([host("m.test", origin=[gone, f"127.0.0.1:{nginx.port}"])])
    up = {origin["address"]: origin["up"] for origin in stats(server)["hosts"][0]["origins"]}
    assert up == {gone: True, f"127.0.0.1:{nginx.port}": True}, "nobody has tried"
    for _ in range(4):
        assert server.curl("m.test").status == 200
    up = {origin["address"]: origin["up"] for origin in stats(server)["hosts"][0]["origins"]}
    assert up == {gone: False, f"127.0.0.1:{nginx.port}": True}
    assert server.reload([host("m.test")])
    assert [origin["up"] for origin in stats(server)["hosts"][0]["origins"]] == [True]


def found(document):
    return [(finding["level"], finding["what"], finding.get("host")) for finding in document["findings"]]


def test_what_is_wrong_is_found_and_goes_when_it_is_mended(serve, host, pki):
    stale = [str(pki.crl(pki.root)), str(pki.crl(pki.intermediate, start=-3 * DAY, end=-DAY / 24))]
    server = serve([host("m.test", "enforce")])
    document = until(server, lambda document: document["history"]["series"]["requests"])
    assert document["findings"] == [] and document["findings_left_out"] == 0
    assert not server.reload([host("m.test", "enforce", ca=["gone.pem"])])
    document = until(server, lambda document: document["findings"])
    assert found(document) == [("warning", "reload_failed", None)]
    assert document["findings"][0]["text"].startswith("The last reload failed: the configuration of 20")
    # A list that has ended is told though no client has come.
    assert server.reload([host("m.test", "enforce", crl=stale), host("o.test", "report", crl=stale)])
    document = until(server, lambda document: len(document["findings"]) == 2)
    assert found(document) == [("critical", "crl_ended", "m.test"), ("warning", "crl_ended", "o.test")]
    assert "The revocation list of CN=Client Intermediate, which m.test checks, ended " in document["findings"][0]["text"]
    # And whom it refuses.
    for _ in range(5):
        assert server.curl("m.test", cert=pki.valid().bundle).status == 403
    document = until(server, lambda document: ("critical", "clients_refused", "m.test") in found(document))
    assert found(document) == [("critical", "clients_refused", "m.test"), ("warning", "crl_ended", "o.test")]
    assert server.reload([host("m.test", "enforce", crl=stale, crl_stale="accept")])
    for _ in range(6):
        assert server.curl("m.test", cert=pki.valid().bundle).status == 200
    document = until(server, lambda document: ("critical", "clients_refused", "m.test") not in found(document))
    assert ("warning", "crl_ended", "m.test") in found(document)


def test_one_bad_client_and_answers_that_are_no_errors_are_nothing(serve, host, pki):
    server = serve([host("m.test", "enforce")])
    for _ in range(4):
        assert server.curl("m.test", cert=pki.expired().bundle).status == 403
    for _ in range(12):
        assert server.curl("m.test", "/teapot", cert=pki.valid().bundle).status == 418
    document = until(server, lambda document: document["hosts"][0]["last_minute"]["4xx"] == 16)
    assert document["findings"] == []
    assert document["hosts"][0]["denied"] == {"expired": 4}


@pytest.mark.slow
def test_a_thousand_hosts(serve, host, pki):
    first = host("h0.test")
    server = serve([{**first, "name": f"h{i}.test"} for i in range(1000)])
    before = server.cpu_seconds()
    for _ in range(5):
        document = stats(server)
    assert len(document["hosts"]) == 1000
    if not SANITIZED:
        assert server.cpu_seconds() - before < 5 * 0.2


def test_values_are_what_json_allows(serve, host):
    server = serve([host("m.test")])
    status, body = server.admin("/stats.json")
    assert status == 200 and body.endswith("\n")
    assert not re.search(r"\b(nan|inf|NaN|Infinity)\b", body)
    json.loads(body, parse_constant=lambda constant: pytest.fail(constant))
