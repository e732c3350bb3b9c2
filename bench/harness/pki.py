"""Certificates for a run, made with the openssl command: a server's, clients' with an intermediate, self-signed ones; all P-256."""

import pathlib
import subprocess

EXTENSIONS = {
    "root": "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
    "intermediate": "basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
                    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    "server": "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
              "subjectAltName=DNS:{name}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    "client": "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n"
              "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    "rogue": "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n"
             "subjectKeyIdentifier=hash\n",
}


def openssl(*arguments):
    result = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"run: openssl {arguments[0]} failed: {result.stderr.strip()}")
    return result.stdout


class Pki:
    """Files in `folder`. `clients` is a folder of bundles, leaf, intermediate and key; `rogues` one of leaf and key."""

    def __init__(self, folder, name, client_count, rogue_count):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.name = name
        self.server_root = self._issue("server-root", "root", "Bench Server Root")
        self.server = self._issue("server", "server", name, issuer="server-root")
        self.server_key = self.folder / "server.key"
        self.server_bundle = self._join("server-bundle.pem", self.server, self.server_key)
        self.client_root = self._issue("client-root", "root", "Bench Client Root")
        self.intermediate = self._issue("intermediate", "intermediate", "Bench Client Intermediate", issuer="client-root")
        self.clients = self.folder / "clients"
        self.clients.mkdir()
        for number in range(client_count):
            leaf = self._issue(f"client-{number}", "client", f"device-{number}", issuer="intermediate")
            self._join(f"clients/{number:04d}.pem", leaf, self.intermediate, self.folder / f"client-{number}.key")
        self.rogues = self.folder / "rogues"
        self.rogues.mkdir()
        for number in range(rogue_count):
            leaf = self._issue(f"rogue-{number}", "rogue", f"device-{number}")
            self._join(f"rogues/{number:04d}.pem", leaf, self.folder / f"rogue-{number}.key")
        self.one_rogue = self.rogues / "0000.pem"
        self.one_client = self.clients / "0000.pem"

    def _issue(self, file, kind, subject, issuer=None):
        key, request, certificate = (self.folder / f"{file}{suffix}" for suffix in (".key", ".csr", ".pem"))
        extensions = self.folder / f"{file}.ext"
        extensions.write_text(EXTENSIONS[kind].format(name=self.name))
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        openssl("req", "-new", "-key", key, "-subj", f"/O=Bench/CN={subject}", "-out", request)
        signer = ["-signkey", key] if issuer is None else [
            "-CA", self.folder / f"{issuer}.pem", "-CAkey", self.folder / f"{issuer}.key", "-CAcreateserial"]
        openssl("x509", "-req", "-in", request, *signer, "-sha256", "-days", "365", "-extfile", extensions, "-out", certificate)
        return certificate

    def _join(self, name, *parts):
        path = self.folder / name
        path.write_text("".join(part.read_text() for part in parts))
        path.chmod(0o600)
        return path

    def client_ski(self):
        """The first client's Subject Key Identifier, as the header has it."""
        text = openssl("x509", "-in", self.one_client, "-noout", "-ext", "subjectKeyIdentifier")
        return text.strip().splitlines()[-1].strip().replace(":", "").lower()
