"""A headless Chromium, spoken to over a pair of pipes: no driver and no package is needed."""

import json
import os
import select
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

PROGRAM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PATIENCE = 30  # seconds for an answer
TEXT = """
new Promise(done => {
  const words = %s, last = performance.now() + %d;
  const text = node => node.nodeType === 3 ? node.data + ' '
    : ['STYLE', 'SCRIPT', 'TEMPLATE'].includes(node.nodeName) ? ''
    : [...(node.shadowRoot ? node.shadowRoot.childNodes : []), ...node.childNodes,
       ...(node.contentDocument ? [node.contentDocument.body] : [])].map(text).join('');
  const look = () => {
    const found = (document.body ? text(document.body) : '').replace(/\\s+/g, ' ');
    if (words.every(word => found.includes(word)) || performance.now() > last) done(found);
    else setTimeout(look, 50);
  };
  look();
})
"""


class Chromium:
    """A browser with one page. A context: it is gone at the end.

    Args:
        profile: Folder for what it keeps.
        width, height: Of the window, pixels.
    """

    def __init__(self, profile: Path, width: int = 1500, height: int = 1100) -> None:
        assert PROGRAM is not None
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def place() -> None:  # the browser wants them to be 3 and 4
            copies = os.dup(to_browser), os.dup(from_browser)
            os.dup2(copies[0], 3)
            os.dup2(copies[1], 4)

        command = [
            PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
            f"--user-data-dir={profile}", f"--window-size={width},{height}", "--no-first-run",
            "--disable-dev-shm-usage", "--enable-unsafe-swiftshader",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, preexec_fn=place, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._rest, self._number, self._session = b"", 0, ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._write)
        os.close(self._read)
        self._process.kill()
        self._process.wait()

    def open(self, url: str, words: list[str], width: int, height: int = 900) -> None:
        """Opens a page in a window of a width, and waits until it says all ``words``."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        assert all(word in self.text(url, words) for word in words)

    def show_as_printed(self, is_printed: bool) -> None:
        """Shows pages with the style of paper, or of the screen."""
        self._call("Emulation.setEmulatedMedia", media="print" if is_printed else "")

    def value(self, expression: str) -> Any:
        """What an expression comes to on the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Presses a key."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind, typed in (("keyDown", text), ("keyUp", {})):
            self._call(
                "Input.dispatchKeyEvent",
                type=kind, key=key, code=key, windowsVirtualKeyCode=code, **typed,
            )  # fmt: skip

    def printed(self) -> bytes:
        """The page as a PDF on A4, with the margins that it asks for."""
        found = self._call(
            "Page.printToPDF", paperWidth=8.27, paperHeight=11.69, preferCSSPageSize=True
        )
        return b64decode(found["data"])

    def text(self, url: str, words: list[str], milliseconds: int = 15_000) -> str:
        """What a page says once it says all ``words``, or after so long."""
        self._call("Page.navigate", url=url)
        expression = TEXT % (json.dumps(words), milliseconds)
        for _ in range(10):  # until the page that was there before has gone
            answer = self._call(
                "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
            )
            if "value" in answer.get("result", {}):
                return answer["result"]["value"]
        raise ConnectionError(f"{url} can't be read")

    def screenshot(self) -> str:
        """The page as a PNG, in base 64."""
        return self._call("Page.captureScreenshot")["data"]

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._rest:
                if not select.select([self._read], [], [], PATIENCE)[0]:
                    raise TimeoutError(f"no answer to {method}")
                self._rest += os.read(self._read, 1 << 16)
            answer, _, self._rest = self._rest.partition(b"\0")
            content = json.loads(answer)
            if content.get("id") == self._number:
                return content.get("result", {})
