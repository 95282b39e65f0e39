"""The page of the admin port in headless Chromium."""
import contextlib
import re
import threading

from admin_port import AdminTest
from browser import Browser
from case import only_aeris

# A chart that drew something has pixels of many colours.
COLOURS_OF = """
const canvas = document.querySelectorAll("canvas")[arguments[0]];
const copy = new OffscreenCanvas(canvas.width, canvas.height);
const pen = copy.getContext("2d", {willReadFrequently: true});
pen.drawImage(canvas, 0, 0);
const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
const colours = new Map();
for (let i = 0; i < data.length; i += 4) {
  const colour = data.slice(i, i + 4).join();
  colours.set(colour, (colours.get(colour) ?? 0) + 1);
}
return Object.fromEntries(colours);
"""
TEXTS = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
MARKUP = "k<script>window.hacked = 1</script>"
CHARTS = ("Operations", "Hit ratio", "Memory", "Keys removed", "Expiry lag", "Latency")


class Load:
    """Commands of all kinds that the page shows, on a thread, until it is stopped."""

    def __init__(self, server):
        self.server = server
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        i = 0
        with contextlib.suppress(OSError, EOFError):
            with self.server.connect() as client:
                while not self.ends.is_set():
                    i += 1
                    client.pipeline([("GET", MARKUP)] * 50 + [("GET", "nokey")] * 10
                                    + [("SET", f"key:{i}", "v" * 20000),
                                       ("SET", f"short:{i}", "v", "PX", 30),
                                       ("SORT", "list", "BY", "w_*")])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join(30)


@only_aeris("it has no admin port")
class Page(AdminTest):

    def setUp(self):
        super().setUp()
        self.browser = Browser()
        self.addCleanup(self.browser.stop)
        self.server = self.start_admin_server({
            "maxmemory": "4mb", "maxmemory-policy": "allkeys-lru",
            "slowlog-log-slower-than": 500})
        with self.server.connect() as client:
            client.call("SET", MARKUP, "the-value")
            client.pipeline([("RPUSH", "list", *range(i, i + 500)) for i in range(0, 5000, 500)])

    def open(self):
        self.browser.driver.get(f"http://127.0.0.1:{self.server.admin_port}/")
        self.wait_for_state("live")

    def wait_for_state(self, state, seconds=30):
        self.wait_for(lambda: self.browser.run(
            "return document.getElementById('state').dataset.state") == state,
            f"the page to be {state}", seconds)

    def texts(self, selector):
        return self.browser.run(TEXTS, selector)

    def labels(self):
        """What each chart says to who does not see it: name: text."""
        found = self.browser.run("return [...document.querySelectorAll('canvas')]"
                                 ".map((one) => one.getAttribute('aria-label'))")
        return dict(label.split(": ", 1) for label in found)

    def test_it_shows_what_the_server_does(self):
        with Load(self.server):
            self.open()
            self.wait_for(lambda: self.browser.run("return document.querySelectorAll("
                                                   "'#slow-log tbody tr').length") > 0,
                          "slow commands", 30)
            self.wait_for(lambda: re.search("evicted [1-9]", self.labels()["Keys removed"]),
                          "evictions", 60)
            self.wait_for(lambda: re.search(r"p50 \d", self.labels()["Latency"]), "latencies", 30)
            before = [self.browser.run(COLOURS_OF, i) for i in range(len(CHARTS))]
            rows = len(self.stats(self.server)["rows"])
            self.wait_for(lambda: len(self.stats(self.server)["rows"]) >= rows + 3,
                          "three seconds of the server", 30)
            after = [self.browser.run(COLOURS_OF, i) for i in range(len(CHARTS))]
            labels = self.labels()
        self.assertEqual(tuple(labels), CHARTS)
        self.assertRegex(labels["Operations"], r"commands \d")
        self.assertNotRegex(labels["Operations"], r"commands 0$")
        self.assertRegex(labels["Hit ratio"], r"hits \d")
        self.assertRegex(labels["Memory"], r"in use [\d.]+ MiB, resident .*, limit 4 MiB")
        self.assertRegex(labels["Keys removed"], r"expired [1-9]")
        self.assertRegex(labels["Expiry lag"], r"max \d")
        for name, one, other in zip(CHARTS, before, after):
            self.assertGreater(len(one), 10, f"{name} is empty")
            self.assertNotEqual(one, other, f"{name} stands still")
        # Names of keys are text; values are nowhere.
        self.assertEqual(self.texts("#hot-keys tbody td.key")[0], MARKUP)
        self.assertIn("sort", self.texts("#slow-log tbody td:first-child"))
        self.assertIn("list", self.texts("#slow-log tbody td.key"))
        self.assertIsNone(self.browser.run("return window.hacked ?? null"))
        self.assertEqual(self.browser.run("return document.scripts.length"), 1)
        self.assertNotIn("the-value", self.browser.driver.page_source)
        self.assertEqual(self.texts("#databases tbody td")[0], "0")
        self.assertEqual(self.browser.console(), [])

    def test_it_recovers_when_the_server_comes_back(self):
        self.open()
        run_id = self.stats(self.server)["server"]["run_id"]
        self.server.stop()
        self.wait_for_state("lost")
        self.assertRegex(self.texts("#state")[0], "no answer since .*, trying again")
        self.browser.console()  # the browser itself says that it could not connect
        self.server.start()
        self.wait_for_state("live")
        self.assertNotEqual(self.stats(self.server)["server"]["run_id"], run_id)
        self.wait_for(lambda: self.browser.run("return document.querySelector('.tile strong')"
                                               ".textContent") != "–", "rows of the new server", 30)
        self.assertEqual([entry for entry in self.browser.console()
                          if "ERR_CONNECTION" not in entry["message"]], [])

    def test_it_says_why_the_server_is_not_ready(self):
        self.open()
        with self.server.connect() as client:
            client.call("CLIENT", "PAUSE", "60000", "WRITE")
            self.wait_for_state("refusing")
            self.assertIn("CLIENT PAUSE", self.texts("#state")[0])
            client.call("CLIENT", "UNPAUSE")
            self.wait_for_state("live")

    def test_it_hides_names_while_a_password_is_set(self):
        with Load(self.server):
            self.open()
            self.wait_for(lambda: self.texts("#hot-keys td.key"), "hot keys", 30)
        with self.server.connect() as client:
            client.call("CONFIG", "SET", "requirepass", "password")
            self.wait_for(lambda: set(self.texts("#hot-keys td.key"))
                          == {"hidden: clients need a password or rights"}, "names to vanish", 30)
            client.call("CONFIG", "SET", "requirepass", "")

    def test_it_fits_screens_from_400_to_1600_pixels_in_both_schemes(self):
        with Load(self.server):
            self.open()
            backgrounds = set()
            for scheme in ("light", "dark"):
                self.browser.prefer(scheme)
                backgrounds.add(self.browser.run(
                    "return getComputedStyle(document.body).backgroundColor"))
                for width in (400, 800, 1280, 1600):
                    self.browser.resize(width, 900)
                    self.wait_for(lambda w=width: self.browser.run(
                        "return document.documentElement.scrollWidth <= window.innerWidth"
                        " && window.innerWidth === arguments[0]", w),
                        f"no scrolling sideways at {width}", 10)
            self.assertEqual(len(backgrounds), 2)
        self.assertEqual(self.browser.console(), [])
