"""Certificates for a run, made with the openssl command: a server's, clients' with an intermediate, self-signed ones; P-256 but where another key is named."""

import datetime
import pathlib
import subprocess

EXTENSIONS = {
    "root": "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
    "intermediate": "basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
                    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    "server": "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
              "subjectAltName=DNS:{name},DNS:*.{name},DNS:localhost\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    "client": "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n"
              "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    "rogue": "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n"
             "subjectKeyIdentifier=hash\n",
}
EXTENSIONS["huge"] = EXTENSIONS["client"] + "1.3.6.1.4.1.32473.1=ASN1:UTF8String:" + 20 * 1024 * "x" + "\n"

# `openssl ca` can date a certificate back, which `openssl x509` cannot in this version; and it makes the CRLs.
AUTHORITY = """\
[ca]
default_ca = one
[one]
database = {folder}/{issuer}.index
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
default_crl_days = 30
policy = policy
[policy]
organizationName = supplied
commonName = supplied
"""


KEYS = {
    "p256": ("EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "rsa2048": ("RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "ed25519": ("ED25519",),
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
        self.issuer_key = self.folder / "intermediate.key"
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

    def add_refused(self, count):
        """Folders of bundles as `clients` has them: `expired`, `revoked` (`crls` is a file that says so) and `huge`."""
        self.authorities = {issuer: self._authority(issuer) for issuer in ("client-root", "intermediate")}
        self.expired, self.revoked, self.huge = (self.folder / name for name in ("expired", "revoked", "huge"))
        for folder in (self.expired, self.revoked, self.huge):
            folder.mkdir()
        revoked = []
        for number in range(count):
            leaves = {"expired": self._issue_in_the_past(f"expired-{number}", f"device-{number}"),
                      "revoked": self._issue(f"revoked-{number}", "client", f"device-{number}", issuer="intermediate"),
                      "huge": self._issue(f"huge-{number}", "huge", f"device-{number}", issuer="intermediate")}
            revoked.append(leaves["revoked"])
            for kind, leaf in leaves.items():
                self._join(f"{kind}/{number:04d}.pem", leaf, self.intermediate, self.folder / f"{kind}-{number}.key")
        self.crls = self._join("crls.pem", self._crl("client-root", []), self._crl("intermediate", revoked))
        self.crls.chmod(0o644)

    def add_kinds(self, count):
        """
        What else than P-256 on a chain of two there may be: a server's certificate of RSA-2048, and folders of bundles as `clients`,
        with leaves of other keys, and with leaves that the root itself has issued.
        """
        self.server_rsa = self._issue("server-rsa", "server", self.name, issuer="server-root", key="rsa2048")
        self.server_rsa_key = self.folder / "server-rsa.key"
        self.server_rsa_bundle = self._join("server-rsa-bundle.pem", self.server_rsa, self.server_rsa_key)
        self.clients_rsa = self._clients("clients-rsa", count, key="rsa2048")
        self.clients_ed25519 = self._clients("clients-ed25519", count, key="ed25519")
        self.clients_alone = self._clients("clients-alone", count, issuer="client-root")

    def _clients(self, name, count, issuer="intermediate", key="p256"):
        folder = self.folder / name
        folder.mkdir()
        between = [self.intermediate] if issuer == "intermediate" else []
        for number in range(count):
            leaf = self._issue(f"{name}-{number}", "client", f"{name}-{number}", issuer=issuer, key=key)
            self._join(f"{name}/{number:04d}.pem", leaf, *between, self.folder / f"{name}-{number}.key")
        return folder

    def add_insiders(self, count):
        """A folder of bundles as `clients`, `insiders`: valid clients that attack."""
        self.insiders = self._clients("insiders", count)

    def _authority(self, issuer):
        """The configuration of `openssl ca` for it."""
        config = self.folder / f"{issuer}.conf"
        config.write_text(AUTHORITY.format(folder=self.folder, issuer=issuer))
        (self.folder / f"{issuer}.index").touch()
        return config

    def _crl(self, issuer, revoked):
        # A line of the database: revoked, not after, since when, serial number, file, subject.
        serials = [openssl("x509", "-in", leaf, "-noout", "-serial").strip().partition("=")[2] for leaf in revoked]
        since = datetime.datetime.now(datetime.timezone.utc).strftime("%y%m%d%H%M%SZ")
        (self.folder / f"{issuer}.index").write_text("".join(
            f"R\t491231235959Z\t{since}\t{serial}\tunknown\t/CN={number}\n" for number, serial in enumerate(serials)))
        crl = self.folder / f"{issuer}.crl"
        openssl("ca", "-gencrl", "-config", self.authorities[issuer], "-cert", self.folder / f"{issuer}.pem",
                "-keyfile", self.folder / f"{issuer}.key", "-out", crl)
        return crl

    def _request(self, file, kind, subject, wanted="p256"):
        """(key, request, file of extensions, certificate to be)"""
        key, request, extensions, certificate = (self.folder / f"{file}{suffix}" for suffix in (".key", ".csr", ".ext", ".pem"))
        extensions.write_text(EXTENSIONS[kind].format(name=self.name))
        openssl("genpkey", "-algorithm", *KEYS[wanted], "-out", key)
        openssl("req", "-new", "-key", key, "-subj", f"/O=Bench/CN={subject}", "-out", request)
        return key, request, extensions, certificate

    def _issue_in_the_past(self, file, subject):
        _, request, extensions, certificate = self._request(file, "client", subject)
        openssl("ca", "-batch", "-notext", "-config", self.authorities["intermediate"], "-in", request, "-out", certificate,
                "-cert", self.intermediate, "-keyfile", self.folder / "intermediate.key", "-extfile", extensions,
                "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
        return certificate

    def _issue(self, file, kind, subject, issuer=None, key="p256"):
        key, request, extensions, certificate = self._request(file, kind, subject, key)
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
