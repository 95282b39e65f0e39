"""Headless Chromium, driven by Debian's chromedriver, for the page of the admin port.

It has a profile of its own below a temporary directory and is told to resolve no name, so that it
talks to 127.0.0.1 only. stop() ends the processes that were started here, by their ids.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile

from selenium import webdriver
from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
from urllib3.exceptions import HTTPError

from server import free_port, wait_for

ANSWER_SECONDS = 120


class Browser:
    def __init__(self, width=1280, height=900):
        self.directory = tempfile.mkdtemp(prefix="aeris-browser-")
        self.driver = None
        port = free_port()
        # The leader of a process group: the browser and its helpers belong to it, too.
        self.process = subprocess.Popen(
            ["/usr/bin/chromedriver", f"--port={port}"], cwd=self.directory,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, env={**os.environ, "HOME": self.directory,
                                         "TMPDIR": self.directory})
        try:
            self.driver = self._connect(port, width, height)
        except BaseException:
            self.stop()
            raise

    def _connect(self, port, width, height):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                         "--disable-dev-shm-usage", "--disable-background-networking",
                         "--disable-component-update", "--disable-sync", "--no-proxy-server",
                         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                         f"--user-data-dir={self.directory}/profile",
                         f"--window-size={width},{height}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})

        def session():
            if self.process.poll() is not None:
                raise AssertionError("chromedriver has ended")
            with contextlib.suppress(OSError, HTTPError):  # it does not listen yet
                return webdriver.Remote(ChromiumRemoteConnection(
                    f"http://127.0.0.1:{port}", "goog", "chrome"),
                                        options=options)
            return None
        driver = wait_for(session, "chromedriver", ANSWER_SECONDS, 0.2)
        driver.set_page_load_timeout(ANSWER_SECONDS)
        driver.set_script_timeout(ANSWER_SECONDS)
        return driver

    def devtools(self, command, **parameters):
        return self.driver.execute("executeCdpCommand", {"cmd": command, "params": parameters})

    def resize(self, width, height):
        """The size of the page itself, whatever frame the window has."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme):
        """light or dark."""
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": scheme}])

    def console(self):
        """Warnings and errors since the last call."""
        return [entry for entry in self.driver.get_log("browser")
                if entry["level"] in ("WARNING", "SEVERE")]

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def stop(self):
        if self.driver is not None:
            with contextlib.suppress(Exception):  # it may have died; what follows ends it anyway
                self.driver.quit()
        for sig, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, sig)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        shutil.rmtree(self.directory, ignore_errors=True)
