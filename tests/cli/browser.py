"""Drives Debian's Chromium over a pipe, with nothing but Python: no driver, no network, no port.

    with Browser() as browser:
        page = browser.open("/tmp/page.html", width=1200)
        page.run("document.title")
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-pipe", "--hide-scrollbars",
    "--force-color-profile=srgb", "--disable-dev-shm-usage",
]
WAIT_S = 120


class Browser:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="browser-")
        to_child, self.to_browser = os.pipe()
        self.from_browser, from_child = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4.
        here, there = os.dup(to_child), os.dup(from_child)
        os.close(to_child)
        os.close(from_child)

        def place():
            a, b = os.dup(here), os.dup(there)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [os.environ.get("CHROMIUM", "chromium"), *FLAGS, "--user-data-dir=" + self.folder],
            preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(here)
        os.close(there)
        self.number = 0
        self.rest = b""
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def message(self):
        while b"\0" not in self.rest:
            part = os.read(self.from_browser, 1 << 20)
            if not part:
                raise RuntimeError("the browser ended")
            self.rest += part
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self.write(message)
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def write(self, message):
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to_browser, data):]

    def open(self, path, **view):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, session, path, **view)


class Page:
    def __init__(self, browser, session, path, width=1200, height=900, dark=False, script=True):
        self.browser, self.session = browser, session
        # Durations are processor time of the page's thread, so that other work on the machine does not count.
        self.call("Performance.setTimeDomain", timeDomain="threadTicks")
        for domain in ("Page", "Runtime", "Log", "Network", "Performance"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.media(dark=dark)
        if not script:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        self.began = time.monotonic()
        self.call("Page.navigate", url="file://" + os.path.realpath(path))
        self.wait("Page.loadEventFired")
        if script:
            self.until("document.documentElement.dataset.ready === 'yes'")
        self.load_s = time.monotonic() - self.began

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def wait(self, method):
        end = time.monotonic() + WAIT_S
        while not any(e.get("method") == method and e.get("sessionId") == self.session for e in self.browser.events):
            if time.monotonic() > end:
                raise RuntimeError(method + " did not come")
            self.browser.events.append(self.browser.message())

    def run(self, expression):
        """The value of a JavaScript expression; a promise is awaited."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, expression):
        """Waits until it is true."""
        end = time.monotonic() + WAIT_S
        while not self.run(expression):
            if time.monotonic() > end:
                raise RuntimeError("never true: " + expression + "; the browser reports: " + str(self.problems()))
            self.run("new Promise(done => requestAnimationFrame(done))")

    def media(self, dark=False, media="screen"):
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def type(self, text):
        for char in text:
            self.call("Input.dispatchKeyEvent", type="keyDown", text=char, key=char, unmodifiedText=char)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=char)

    def press(self, key, code, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text)

    def click(self, selector):
        box = self.run("(() => { const e = document.querySelector(%s); e.scrollIntoView({block: 'center', behavior: 'instant'});"
                       " const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
                       % json.dumps(selector))
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def problems(self):
        """What the browser reported: refused by the policy, failed requests, exceptions."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            if event["method"] == "Log.entryAdded":
                found.append(event["params"]["entry"]["text"])
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(event["params"]["exceptionDetails"]["text"])
        return found

    def requests(self):
        return [e["params"]["request"]["url"] for e in self.browser.events
                if e.get("sessionId") == self.session and e["method"] == "Network.requestWillBeSent"]

    def picture(self, path, whole=True, height=None):
        clip = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], height or 1e9), "scale": 1}}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **clip)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def pdf(self, path):
        data = self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))


def main():
    """browser.py PAGE PICTURE [WIDTH] [dark|light] [noscript] [HEIGHT]"""
    path, picture, *rest = sys.argv[1:]
    width = int(rest[0]) if rest else 1200
    with Browser() as browser:
        page = browser.open(path, width=width, dark="dark" in rest, script="noscript" not in rest)
        if picture.endswith(".pdf"):
            page.pdf(picture)
        else:
            page.picture(picture, height=int(rest[-1]) if len(rest) > 2 and rest[-1].isdigit() else None)
        print(round(page.load_s, 3), page.problems(), page.requests())


if __name__ == "__main__":
    main()
