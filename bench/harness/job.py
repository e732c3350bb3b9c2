"""The job that every server under test has to do, seen by a client that nobody here wrote."""

import re
import subprocess


def curl(server, made, path, *options):
    """(status, body) of one request by a client that nobody here wrote."""
    result = subprocess.run(
        ["curl", "-sS", "-m", "10", "-w", "\n%{http_code}", "--cacert", str(made.server_root),
         "--connect-to", f"{made.name}:443:{server.address}", *options, f"https://{made.name}{path}"],
        capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"run: {server.kind} does not answer: {result.stderr.strip()}")
    body, _, status = result.stdout.rpartition("\n")
    return int(status), body


def verify(server, made):
    """Sees that the server does the job: the verdict reaches the origin, and nobody passes without a certificate."""
    status, body = curl(server, made, "/verify", "--cert", made.one_client, "-H", "X-Client-Cert-Status: forged")
    seen = dict(re.findall(r"^([\w-]+): (.*?)\r?$", body.lower(), re.MULTILINE))
    expected = {"x-client-cert-status": "valid", "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https"}
    if server.kind == "sallyport":
        expected["x-client-cert-ski"] = made.client_ski()
    missing = [name for name in ("x-client-cert-ski", "x-request-id", "x-forwarded-host") if not seen.get(name)]
    if status != 200 or missing or any(seen.get(name) != value for name, value in expected.items()):
        raise SystemExit(f"run: {server.kind} does not do the job: {status}, expected {expected} and {missing}, the origin saw:\n{body}")
    status, _ = curl(server, made, "/verify")
    if status != 403:
        raise SystemExit(f"run: {server.kind} answers {status} to a client without certificate, not 403")
    status, _ = curl(server, made, "/verify", "--cert", made.one_rogue)
    if status != 403:
        raise SystemExit(f"run: {server.kind} answers {status} to a self-signed certificate, not 403")
