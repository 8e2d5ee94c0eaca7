"""A headless Chromium, driven by the DevTools protocol over two pipes: pages of
users who share nothing, what is shown on them, clicks, keys and pictures."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

from parley_system import PATIENCE

# Far above what a process has open: 3 and 4 are Chromium's.
HIGH = 100


class Browser:
    """`pictures`: a folder, for what a page showed when a test gave up."""

    def __init__(self, pictures, *arguments):
        self.pictures = pictures
        self.folder = tempfile.mkdtemp(prefix="parley-browser-")
        self.answers = {}
        self.events = []
        self.changed = threading.Condition()
        self.last = 0
        self.over = False
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        high_in = fcntl.fcntl(theirs_in, fcntl.F_DUPFD, HIGH)
        high_out = fcntl.fcntl(theirs_out, fcntl.F_DUPFD, HIGH)
        os.close(theirs_in)
        os.close(theirs_out)
        self.process = subprocess.Popen(
            [
                *("bash", "-c", f'exec "$@" 3<&{high_in} 4>&{high_out}', "-"),
                *("chromium", "--headless=new", "--remote-debugging-pipe"),
                # Tests run as root in containers without much shared memory.
                *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"),
                *("--no-first-run", "--disable-extensions", "--mute-audio"),
                *("--disable-background-networking", "--disable-sync"),
                *("--disable-component-update", "--lang=en"),
                # What moves is missed by clicks.
                "--force-prefers-reduced-motion",
                f"--user-data-dir={self.folder}",
                *arguments,
            ],
            pass_fds=(high_in, high_out),
            env={**os.environ, "HOME": self.folder},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(high_in)
        os.close(high_out)
        self.output = os.fdopen(ours_out, "wb", buffering=0)
        self.reader = threading.Thread(
            target=self.read, args=(os.fdopen(ours_in, "rb", buffering=0),)
        )
        self.reader.start()

    def read(self, pipe):
        text = b""
        with pipe:
            while more := pipe.read(1 << 16):
                *whole, text = (text + more).split(b"\0")
                with self.changed:
                    for message in map(json.loads, whole):
                        if "id" in message:
                            self.answers[message["id"]] = message
                        else:
                            self.events.append(message)
                    self.changed.notify_all()
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def ask(self, method, session=None, **parameters):
        self.last += 1
        number = self.last
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self.output.write(json.dumps(message).encode() + b"\0")
        with self.changed:
            if not self.changed.wait_for(
                lambda: number in self.answers or self.over, PATIENCE
            ):
                raise AssertionError(f"Chromium does not answer {method}")
            if number not in self.answers:
                raise AssertionError("Chromium has ended")
            answer = self.answers.pop(number)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def page(self, url):
        """A page in a profile of its own."""
        context = self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask(
            "Target.createTarget",
            url=url,
            browserContextId=context,
        )["targetId"]
        return Page(self, target)

    def close(self):
        if self.process.poll() is None and not self.over:
            try:
                self.ask("Browser.close")
                self.process.wait(PATIENCE)
            except (AssertionError, BrokenPipeError, subprocess.TimeoutExpired):
                self.process.kill()
        self.process.wait()
        self.output.close()
        self.reader.join()
        shutil.rmtree(self.folder, ignore_errors=True)


class Page:
    def __init__(self, browser, target):
        self.browser = browser
        self.target = target
        self.session = browser.ask(
            "Target.attachToTarget", targetId=target, flatten=True
        )["sessionId"]
        self.ask("Page.enable")
        self.ask("Runtime.enable")
        self.ask("Log.enable")
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=1000,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )

    def ask(self, method, **parameters):
        return self.browser.ask(method, session=self.session, **parameters)

    def value(self, script):
        """Of an expression, or of the promise that it is."""
        answer = self.ask(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, script, what=None):
        """Until the expression is true; what it is then."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self.value(script)):
            if time.monotonic() > deadline:
                self.give_up(what or script)
            time.sleep(0.05)
        return found

    def give_up(self, what):
        picture = os.path.join(self.browser.pictures, "in-vain.png")
        self.picture(picture)
        raise AssertionError(
            f"waited in vain for {what}; what the page shows is in {picture}, "
            f"what it says is {self.value('document.body.innerText')!r}, and "
            f"it complains of {self.complaints()}"
        )

    def shows(self, text):
        self.wait(
            f"document.body.innerText.includes({json.dumps(text)})", text
        )

    def place(self, selector):
        """The middle of the first such element that can be seen."""
        return self.wait(
            f"""(() => {{
              for (const e of document.querySelectorAll({json.dumps(selector)}))
              {{
                e.scrollIntoView({{block: "nearest"}});
                const r = e.getBoundingClientRect();
                const x = r.x + r.width / 2, y = r.y + r.height / 2;
                if (r.width && e.contains(document.elementFromPoint(x, y)))
                  return {{x, y}};
              }}
            }})()""",
            selector,
        )

    def click(self, selector):
        at = self.place(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.ask(
                "Input.dispatchMouseEvent",
                type=kind,
                button="left",
                clickCount=1,
                **at,
            )

    def click_until(self, selector, script):
        """For what may move away under a click."""
        deadline = time.monotonic() + PATIENCE
        while not self.value(script):
            if time.monotonic() > deadline:
                self.give_up(f"{script} by clicks on {selector}")
            self.click(selector)
            time.sleep(0.2)

    def type(self, selector, text):
        """Into a field, after a click on it; ends with Enter where the text
        ends with a line break."""
        self.click(selector)
        self.wait(
            f"document.activeElement?.matches({json.dumps(selector)})"
        )
        self.ask("Input.insertText", text=text.rstrip("\n"))
        if text.endswith("\n"):
            for kind in ("keyDown", "keyUp"):
                self.ask(
                    "Input.dispatchKeyEvent",
                    type=kind,
                    key="Enter",
                    code="Enter",
                    windowsVirtualKeyCode=13,
                    text="\r" if kind == "keyDown" else "",
                )

    def picture(self, path):
        data = self.ask("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def complaints(self):
        """What the page has logged as errors."""
        return [
            json.dumps(e["params"])[:500]
            for e in self.browser.events
            if e.get("sessionId") == self.session
            and (
                e["method"] == "Runtime.exceptionThrown"
                or e["params"].get("type") == "error"
                or e["params"].get("entry", {}).get("level") == "error"
            )
        ]

    def offline(self, is_offline):
        """The network of this page goes away, or comes back."""
        self.ask(
            "Network.emulateNetworkConditions",
            offline=is_offline,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )

    def close(self):
        self.browser.ask("Target.closeTarget", targetId=self.target)
