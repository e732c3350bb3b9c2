"""A real browser: headless Chromium, driven through WebDriver. Screenshots go to build/check/dashboard/."""

import base64
import contextlib
import json
import shutil
import subprocess
import time
import urllib.request

import pytest

from conftest import ROOT, free_port

SHOTS = ROOT / "build" / "check" / "dashboard"
SIZES = {"wide": (1400, 1900), "tablet": (800, 2300), "phone": (360, 3600)}

needs_browser = pytest.mark.skipif(shutil.which("chromedriver") is None, reason="chromedriver is not installed: tools/deps --check installs it")


class Browser:
    """As much of WebDriver (W3C) as is needed."""

    def __init__(self, driver, dark=False, page=None, more=()):
        arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars", *more]
        if dark:
            arguments.append("--blink-settings=preferredColorScheme=0")
        self.page = page
        self.base = f"http://127.0.0.1:{driver}"
        session = self.send("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": arguments}}}})
        self.session = f"/session/{session['sessionId']}"

    def send(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, method=method, headers={"Content-Type": "application/json"},
                                         data=json.dumps(body).encode() if body is not None else None)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode())

    def open(self, url):
        self.send("POST", self.session + "/url", {"url": url})

    def run(self, script):
        return self.send("POST", self.session + "/execute/sync", {"script": script, "args": []})

    def text(self, what):
        return self.run(f"return document.querySelector({json.dumps(what)}).innerText")

    def act(self, kind, *actions):
        """Of mouse, touch or key, as WebDriver has them."""
        source = {"type": "key" if kind == "key" else "pointer", "id": kind, "actions": list(actions)}
        self.send("POST", self.session + "/actions", {"actions": [source if kind == "key" else {**source, "parameters": {"pointerType": kind}}]})

    def point(self, what, share):
        """Moves the mouse to that share of an element's width, and gives where that is."""
        left, top, width, height = self.run(f"const node = document.querySelector({json.dumps(what)}); node.scrollIntoView();"
                                            "const place = node.getBoundingClientRect(); return [place.left, place.top, place.width, place.height]")
        place = {"type": "pointerMove", "duration": 0, "x": int(left + share * width), "y": int(top + height / 2)}
        self.act("mouse", place)
        return place

    def touch(self, place):
        self.act("touch", place, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0})

    def press(self, key):
        self.act("key", {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})

    def title(self):
        return self.run("return document.title")

    def wait_for(self, what, text, within=20):
        deadline = time.monotonic() + within
        while text not in self.text(what):
            assert time.monotonic() < deadline, f"{what}: {self.text(what)}"
            time.sleep(0.1)

    def resize(self, size):
        width, height = SIZES[size]
        self.send("POST", self.session + "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}})

    def prefer(self, scheme):
        self.send("POST", self.session + "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]}})

    def shoot(self, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        (SHOTS / f"{name}.png").write_bytes(base64.b64decode(self.send("GET", self.session + "/screenshot")))

    def complaints(self):
        """Of the console, but for figures that did not come, which the browser itself says."""
        entries = self.send("POST", self.session + "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING") and "ERR_CONNECTION_REFUSED" not in entry["message"]]

    def close(self):
        self.send("DELETE", self.session)


@pytest.fixture(scope="module")
def driver():
    port = free_port()
    process = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=2).close()
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield port
    process.terminate()
    process.wait(20)
