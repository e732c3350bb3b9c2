"""
Origins that speak TLS, and the fixtures for hosts that have them: nginx, Apache httpd, Node, HAProxy, openssl s_server, and
scripted ones over Python's ssl. `authority` makes their certificates, which the hosts of `entry` believe.
"""

import ipaddress
import json
import pathlib
import re
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

import daemons
import pki as pki_module
from conftest import free_port, wait_for

NAME = "a.test"
ORIGIN = "origin.test"
FACTS = "version={version} reused={reused} name={name} alpn={alpn} client={client}"


class Nginx(daemons.Nginx):
    """`lines`: more of its configuration; `more`: parameters of its address, such as http2."""

    def __init__(self, folder, entity, lines="", more=""):
        port = free_port()
        lines += "" if "ssl_protocols" in lines else " ssl_protocols TLSv1.2 TLSv1.3;"
        facts = FACTS.format(version="$ssl_protocol", reused="$ssl_session_reused", name="$ssl_server_name",
                             alpn="$ssl_alpn_protocol", client="$ssl_client_s_dn")
        super().__init__(folder, self.http(folder, f"""
    server {{
        listen 127.0.0.1:{port} ssl {more};
        ssl_certificate {entity.chain};
        ssl_certificate_key {entity.key};
        {lines}
        location / {{
            default_type text/plain;
            return 200 "{facts} group=$ssl_curve";
        }}
        location /body {{
            default_type application/octet-stream;
            echo_read_request_body;
            echo_request_body;
            client_body_buffer_size 128m;
        }}
        location /empty {{ return 204; }}
        location /files/ {{ alias {folder}/files/; }}
    }}
"""), port)


class Apache(daemons.Daemon):
    """Apache httpd, like nginx; but echoes of bodies come from the origin `behind`, which speaks TLS too."""

    MODULES = ["mpm_event", "authz_core", "socache_shmcb", "ssl", "http2", "alias", "mime", "headers", "proxy", "proxy_http", "include",
               "filter", "setenvif"]
    CONFIG = """
{modules}
ServerName {name}
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/httpd.pid
ErrorLog {folder}/error.log
LogLevel ssl:info
Listen 127.0.0.1:{port}
StartServers 1
ThreadsPerChild 32
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
Protocols h2 http/1.1
Mutex posixsem
SSLSessionCache shmcb:{folder}/sessions(512000)
SSLEngine on
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
SSLOptions +StdEnvVars
TypesConfig /dev/null
DocumentRoot {folder}/pages
<Directory {folder}>
    Require all granted
</Directory>
<Directory {folder}/pages>
    Options +Includes
    ForceType text/html
    SetOutputFilter INCLUDES
</Directory>
Alias /files {folder}/files
AliasMatch ^/$ {folder}/pages/facts
SSLProxyEngine on
SSLProxyVerify none
SSLProxyCheckPeerName off
ProxyPass /body https://{behind}/body
Redirect 204 /empty
{lines}
"""

    def __init__(self, folder, entity, behind, lines=""):
        folder = pathlib.Path(folder)
        super().__init__(folder, ["apache2", "-X", "-f", folder / "httpd.conf"], free_port())
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in self.MODULES)
        self.text = self.CONFIG.format(folder=folder, modules=modules, name=ORIGIN, port=self.port, lines=lines,
                                       behind=behind.address, certificate=entity.chain, key=entity.key)
        self.files = folder / "files"

    def start(self, **options):
        for name in ("files", "pages"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        echo = '<!--#echo encoding="none" var="{}" -->'.format
        (self.folder / "pages" / "facts").write_text(FACTS.format(
            version=echo("SSL_PROTOCOL"), reused=echo("SSL_SESSION_RESUMED"), name=echo("SSL_TLS_SNI"), alpn=echo("SERVER_PROTOCOL"),
            client=echo("SSL_CLIENT_S_DN")))
        (self.files / "small.txt").write_text("small\n")
        (self.folder / "httpd.conf").write_text(self.text)
        return super().start(**options)


class Node(daemons.Daemon):
    """Node: its module http2, or https with WebSockets; origin.js says what it answers. `options` go to its TLS."""

    def __init__(self, folder, entity, http2=False, **options):
        settings = {"port": free_port(), "folder": str(folder), "certificate": str(entity.chain), "key": str(entity.key),
                    "http2": http2, "options": options}
        command = ["env", "NODE_PATH=/usr/share/nodejs", "node", pathlib.Path(__file__).with_name("origin.js"), json.dumps(settings)]
        super().__init__(folder, command, settings["port"])
        self.files = self.folder / "files"

    def start(self, **options):
        self.files.mkdir(parents=True, exist_ok=True)
        (self.files / "small.txt").write_text("small\n")
        return super().start(**options)


class Haproxy(daemons.Haproxy):
    """HAProxy over TLS; all but its facts come from the origin `behind`, which speaks TLS too."""

    def __init__(self, folder, entity, behind, bind="", lines=""):
        port = free_port()
        facts = FACTS.format(version="%[ssl_fc_protocol]", reused="%[ssl_fc_is_resumed]", name="%[ssl_fc_sni]", alpn="%[ssl_fc_alpn]",
                             client="%[ssl_c_s_dn]")
        super().__init__(folder, port, f"""
frontend origin
    bind 127.0.0.1:{port} ssl crt {entity.bundle} alpn h2,http/1.1 {bind}
    {lines}
    http-request return status 200 content-type text/plain lf-string "{facts}" if {{ path / }}
    default_backend behind
backend behind
    server one {behind.address} ssl verify none
""")
        self.files = behind.files


class SServer(daemons.Daemon):
    """
    openssl s_server, which sends what the test gives to `say`, and does what one letter of `order` tells it to. `openssl`:
    the program.
    """

    def __init__(self, folder, entity, *options, openssl="openssl"):
        port = free_port()
        command = [openssl, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", entity.cert, "-key", entity.key, "-msg", *options]
        super().__init__(folder, command, port)

    def start(self):
        return super().start(stdin=subprocess.PIPE)

    def count(self, text):
        """How often its log has the text."""
        return self.said().count(text)

    def say(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def order(self, letter, effect):
        """Has it do something, and waits until its log tells of the effect."""
        before = self.count(effect)
        self.say(letter + b"\n")
        wait_for(lambda: self.count(effect) > before)


@pytest.fixture
def authority(pki):
    """leaf(...): a certificate for an origin."""

    class Authority:
        root = pki.authority("Origin Root")
        other = pki.authority("Other Origin Root")
        issuing = pki.authority("Origin Issuing", issuer=root)

        def leaf(self, *names, issuer=None, usage=ExtendedKeyUsageOID.SERVER_AUTH, kind="ecdsa-p256", chain=(), **options):
            key = pki_module.new_key(kind)
            names = [x509.DNSName(name) if not name[0].isdigit() else x509.IPAddress(ipaddress.ip_address(name)) for name in names]
            extensions = [(x509.SubjectAlternativeName(names), False)] if names else []
            if usage is not None:
                extensions.append((x509.ExtendedKeyUsage([usage]), False))
            extensions += options.pop("extensions", [])
            certificate = pki.build(options.pop("subject", ORIGIN), key, issuer or self.root, extensions=extensions, **options)
            return pki.entity("origin", certificate, key, chain)

    return Authority()


@pytest.fixture
def entry(host, authority):
    """entry(origin, ...): a host whose origin is believed by the authority's root."""

    def make(origin, mode="off", protocol=None, **tls):
        addresses = [getattr(one, "address", one) for one in (origin if isinstance(origin, list) else [origin])]
        made = {**host(NAME, mode, origin=addresses), "origin_tls": {"ca": [str(authority.root.cert)], "name": ORIGIN, **tls}}
        if made["origin_tls"]["name"] is None:
            del made["origin_tls"]["name"]
        if protocol is not None:
            made["origin_protocol"] = protocol
        return made

    return make


@pytest.fixture
def run(tmp_path):
    """run(kind, ...): a daemon of this class, started in a folder of its own with these arguments."""
    running = []

    def start(kind, *arguments, **options):
        daemon = kind(tmp_path / f"{kind.__name__.lower()}{len(running)}", *arguments, **options)
        running.append(daemon)
        return daemon.__enter__()

    yield start
    for daemon in running:
        daemon.__exit__()


def context_of(entity, **versions):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(entity.chain, entity.key)
    for name, version in versions.items():
        setattr(context, name, version)
    return context


@pytest.fixture
def secure(scripted):
    """secure(entity, script): an origin that hands each connection to the script once TLS is on it."""

    def make(entity, script, alpn=None, **versions):
        context = context_of(entity, **versions)
        if alpn is not None:
            context.set_alpn_protocols([alpn])

        def run_tls(connection, number):
            try:
                tls = context.wrap_socket(connection, server_side=True)
            except OSError:
                return
            with tls:
                script(tls, number)

        return scripted(run_tls)

    return make


def read_head(tls):
    head = b""
    while b"\r\n\r\n" not in head:
        piece = tls.recv(65536)
        if not piece:
            return b""
        head += piece
    return head


def facts(answer):
    return dict(re.findall(r"(\w+)=(\S*)", answer.text))


def handshakes(server, result):
    return server.metric("sallyport_origin_handshakes_total", result=result)


def connections(server, event):
    return server.metric("sallyport_origin_connections_total", event=event)


def requests(server, result):
    return server.metric("sallyport_origin_requests_total", result=result)
