"""What a check stands on: a server with a directory of its own, its API, and one browser.

Invariant: only processes that were started here are ended; nothing but .build and a temporary folder is written.
Not here: what is expected (checks.py).
"""

import json
import pathlib
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

# How long the page may take for anything, in seconds.
PATIENCE = 8


class Server:
    """`continuo serve` on a free port of the loopback address."""

    def __init__(self, program, folder, *arguments):
        self.process = subprocess.Popen(
            [program, "serve", "--data-dir", folder, "--listen", "127.0.0.1:0", *arguments], stdout=subprocess.PIPE, text=True)
        lines = [self.process.stdout.readline() for _ in range(5)]
        if not lines[-1]:
            raise AssertionError(f"the server ended: {lines}")
        self.url = lines[1].strip()

    def ask(self, path, body=None, kind="application/json", accept="application/json"):
        """The answer's text; an error's where it is one."""
        headers = {"Accept": accept} | ({"Content-Type": kind} if body is not None else {})
        request = urllib.request.Request(self.url + path, body.encode() if body is not None else None, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return reply.read().decode()

    def json(self, path, **rest):
        return json.loads(self.ask(path, **rest))

    def events(self, rows):
        receipt = self.json("/v1/events", body="\n".join(map(json.dumps, rows)), kind="application/x-ndjson")
        assert receipt["accepted"] == len(rows), receipt

    def token(self, name, rest="", **names):
        """An answer about a token."""
        path = "/v1/tokens/" + urllib.parse.quote(name, safe="") + rest
        return self.json(path + ("?" + urllib.parse.urlencode(names) if names else ""))

    def has(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=PATIENCE):
                return True
        except urllib.error.HTTPError:
            return False

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)


class Stage:
    """Server and browser."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.program = str(self.root / ".build/release/continuo")
        self.screenshots = self.root / ".build/screenshots"
        self.axe = next((self.root / ".build/python").glob("lib/*/site-packages/axe_playwright_python/axe.min.js")).read_text()

    def __enter__(self):
        self.screenshots.mkdir(parents=True, exist_ok=True)
        self.scratch = tempfile.TemporaryDirectory(prefix="continuo-page-")
        self.folder = pathlib.Path(self.scratch.name)
        self.server = Server(self.program, str(self.folder / "market"), "--assets", str(self.root / ".build/assets"))
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in ["headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu", "window-size=1200,1000", "lang=en"]:
            options.add_argument("--" + flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        try:
            self.browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        except Exception:
            self.server.end()
            raise
        self.browser.set_script_timeout(PATIENCE)
        self.browser.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(self.folder)})
        # A server that has no stream yet is asked for it all the same: the only error that is none.
        self.has_stream = self.server.has("/v1/stream?token=ART&interval=1m")
        self.theme("light")
        return self

    def __exit__(self, *_):
        self.browser.quit()
        self.server.end()
        self.scratch.cleanup()

    # The browser

    def open(self, path):
        self.browser.get(self.server.url + path)

    def token(self, name, query=""):
        """Opens a token's page, and waits until it has drawn something."""
        self.open("/tokens/" + urllib.parse.quote(name, safe="") + query)
        self.until(lambda: self.drawn(), f"{name} is drawn")

    def script(self, text, *arguments):
        return self.browser.execute_script(text, *arguments)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector, name="innerText"):
        """A property of every element, of one moment: the page may draw them anew at any time."""
        return self.script("return [...document.querySelectorAll(arguments[0])].map((one) => one[arguments[1]])", selector, name)

    def click(self, selector):
        """Clicks, once it can be clicked."""
        self.until(lambda: self.find(selector).click() is None, "clicked: " + selector)

    def drawn(self):
        """The candles of the chart, as it has them."""
        return self.script("return document.getElementById('chart').continuoChart?.drawn() ?? []")

    def until(self, holds, what, seconds=PATIENCE):
        """Waits until something holds; how long that took."""
        began = time.monotonic()
        while True:
            problem = None
            try:
                if holds():
                    return time.monotonic() - began
            except Exception as error:  # The page may be at work on what is looked at.
                problem = error
            if time.monotonic() - began > seconds:
                raise AssertionError(f"not within {seconds} s: {what}{f' ({problem})' if problem else ''}")
            time.sleep(0.05)

    def theme(self, name):
        self.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": name}]})

    def width(self, pixels):
        """Makes the page so wide; None: as wide as the window."""
        if pixels is None:
            self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        else:
            self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": pixels, "height": 800, "deviceScaleFactor": 1, "mobile": False})

    def screenshot(self, name):
        self.browser.save_screenshot(str(self.screenshots / f"{name}.png"))

    def no_console_errors(self):
        for entry in self.browser.get_log("browser"):
            if entry["level"] == "SEVERE" and not (not self.has_stream and "/v1/stream" in entry["message"]):
                raise AssertionError("on the console: " + entry["message"])

    def accessible(self, what):
        """axe-core finds nothing serious."""
        self.script(self.axe)
        found = self.browser.execute_async_script("axe.run().then(arguments[0], (error) => arguments[0]({error: String(error)}))")
        assert "violations" in found, found
        serious = [
            f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found["violations"]
            if one["impact"] in ("serious", "critical")]
        assert not serious, f"{what}: {serious}"
