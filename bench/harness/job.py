"""The job that every server under test has to do, seen by a client that nobody here wrote."""

import re
import subprocess


def curl(server, made, path, *options, tell="http_code", name=None):
    """(status, body) of one request by a client that nobody here wrote. `tell`: what else curl shall tell instead of the status."""
    name = name or made.name
    result = subprocess.run(
        ["curl", "-sS", "-m", "10", "-w", f"\n%{{{tell}}}", "--cacert", str(made.server_root),
         "--connect-to", f"{name}:443:{server.address}", *options, f"https://{name}{path}"],
        capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"run: {server.kind} does not answer: {result.stderr.strip()}")
    body, _, status = result.stdout.rpartition("\n")
    return int(status) if tell == "http_code" else status, body


def verify(server, made, http2=False, name=None):
    """
    Sees that the server does the job: the verdict reaches the origin, and nobody passes without a certificate, but where mode
    `report` lets all pass. `http2`: by HTTP/2, which the server has to choose. `name`: of the host, if not that of `made`.
    """
    protocol = "--http2" if http2 else "--http1.1"
    if http2 and curl(server, made, "/", protocol, "--cert", made.one_client, tell="http_version", name=name)[0] != "2":
        raise SystemExit(f"run: {server.kind} does not choose HTTP/2")
    if server.kind == "nghttpd":
        return
    verify_verdict(server, made, protocol, name=name)
    wanted = 200 if server.setup == "report" else 403
    for who, certificate in (("a client without certificate", ()), ("a self-signed certificate", ("--cert", made.one_rogue))):
        status, _ = curl(server, made, "/verify", protocol, *certificate, name=name)
        if status != wanted:
            raise SystemExit(f"run: {server.kind} answers {status} to {who}, not {wanted}")


def verify_verdict(server, made, *options, name=None):
    """Sees that the origin gets the verdict on a valid client, and nothing that the client made up."""
    status, body = curl(server, made, "/verify", *options, "--cert", made.one_client, "-H", "X-Client-Cert-Status: forged", name=name)
    seen = dict(re.findall(r"^([\w-]+): (.*?)\r?$", body.lower(), re.MULTILINE))
    expected = {"x-client-cert-status": "valid", "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https"}
    if server.is_sallyport:
        expected["x-client-cert-ski"] = made.client_ski()
    missing = [name for name in ("x-client-cert-ski", "x-request-id", "x-forwarded-host") if not seen.get(name)]
    if status != 200 or missing or any(seen.get(name) != value for name, value in expected.items()):
        raise SystemExit(f"run: {server.kind} does not do the job: {status}, expected {expected} and {missing}, the origin saw:\n{body}")
