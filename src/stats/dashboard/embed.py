"""
Makes one page of the dashboard's parts, as a C source: the page, and the Content-Security-Policy that lets just these run.

usage: embed.py index.html dashboard.css dashboard.js OUT.c
"""

import base64
import hashlib
import pathlib
import sys


def source_of(text):
    """The CSP source expression for an inline element with this content (CSP Level 3, section 2.3.1)."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def literal(data):
    """As a list of numbers: no compiler has a limit for those."""
    return ",\n".join(",".join(str(byte) for byte in data[i:i + 32]) for i in range(0, len(data), 32))


def main():
    page, css, js = (pathlib.Path(path).read_text(encoding="utf-8") for path in sys.argv[1:4])
    for mark in ("/*dashboard.css*/", "/*dashboard.js*/"):
        if page.count(mark) != 1:
            raise SystemExit(f"embed.py: {sys.argv[1]} has not one {mark}")
    if "</script" in js or "</style" in css:
        raise SystemExit("embed.py: an end tag within the parts would end them")
    data = page.replace("/*dashboard.css*/", css).replace("/*dashboard.js*/", js).encode()
    policy = (f"default-src 'none'; script-src {source_of(js)}; style-src {source_of(css)}; connect-src 'self'; img-src data:; "
              "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    pathlib.Path(sys.argv[4]).write_text(
        "/* Made by embed.py: do not edit. */\n#include \"stats/dashboard.h\"\n\n"
        f"static const unsigned char page[] = {{\n{literal(data)}\n}};\n\n"
        "struct bytes dashboard_page(void) {\n    return bytes_of(page, sizeof page);\n}\n\n"
        f"const char *dashboard_policy(void) {{\n    return \"{policy}\";\n}}\n", encoding="utf-8")


main()
