"""/metrics as Prometheus sees it: Debian's promtool, prometheus and prometheus-redis-exporter."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from admin_port import AdminTest
from case import Settings, only_aeris
from server import ServerProcess, free_port

# Of the exporter itself and of the language it is written in.
EXPORTERS_OWN = re.compile(r"(redis_exporter_|redis_target_scrape_|redis_last_key_groups_scrape_|"
                           r"go_|process_|promhttp_).*")
# What promtool says about names and types that the exporter has chosen.
COMPLAINTS_OF_EXPORTER = re.compile(
    r"redis_\w+ (non-counter metrics should not have \"_total\" suffix"
    r"|counter metrics should have \"_total\" suffix"
    r"|metric names should not contain abbreviated units|use base unit .*)")


def families(text):
    """Name: type and the sets of label names that its samples have."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:4]
            found[name] = (kind, set())
        elif line and not line.startswith("#"):
            sample = re.match(r"([a-zA-Z_:][\w:]*)(\{.*\})? \S+$", line)
            name = sample[1]
            if name not in found:
                name = re.sub(r"_(sum|count|bucket)$", "", name)
            labels = re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', sample[2] or "")
            found[name][1].add(tuple(sorted(labels)))
    return found


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as reply:
        return reply.read().decode()


def answer(url):
    """None as long as nobody answers."""
    try:
        return fetch(url)
    except (urllib.error.URLError, ConnectionError):
        return None


@only_aeris("it has no admin port")
class Prometheus(AdminTest):

    def setUp(self):
        super().setUp()
        self.directory = tempfile.mkdtemp(prefix="aeris-prometheus-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def program(self, *command):
        """Runs until the end of the test; its output is in the file that is returned."""
        path = os.path.join(self.directory, f"{os.path.basename(command[0])}-{free_port()}.txt")
        with open(path, "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=output, cwd=self.directory)

        def stop():
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.addCleanup(stop)
        return path

    def use(self, server):
        """Something of each kind that has figures."""
        with server.connect() as client:
            client.call("CONFIG", "SET", "slowlog-log-slower-than", "0")
            client.call("CONFIG", "SET", "latency-monitor-threshold", "1")
            client.call("SET", "key", "value", "EX", "100")
            client.call("GET", "key")
            client.call("GET", "nokey")
            client.raw("NOSUCH")
            client.raw("LPUSH", "key", "element")
            client.call("CLIENT", "LIST")
            client.call("DEBUG", "SLEEP", "0.01")

    def export(self, server):
        """What Debian's exporter says about a server; it must have had no error."""
        port = free_port()
        log = self.program("/usr/bin/prometheus-redis-exporter",
                           "-redis.addr", f"redis://127.0.0.1:{server.port}",
                           "-web.listen-address", f"127.0.0.1:{port}")
        url = f"http://127.0.0.1:{port}/metrics"
        self.wait_for(lambda: answer(url), "the exporter", 30)
        text = fetch(url)
        samples = text.splitlines()
        self.assertIn("redis_up 1", samples)
        self.assertIn('redis_exporter_last_scrape_error{err=""} 0', samples)
        self.assertIn('redis_db_keys{db="db0"} 1', samples)
        with open(log, encoding="utf-8", errors="replace") as file:
            for line in file:
                self.assertNotRegex(line, "(?i)level=(error|warn|fatal)|panic", log)
        return {name: family for name, family in families(text).items()
                if not EXPORTERS_OWN.fullmatch(name)}

    def test_the_exporter_scrapes_without_an_error_and_its_names_are_ours(self):
        server = self.start_admin_server({"enable-debug-command": "yes"})
        self.use(server)
        exported = self.export(server)
        ours = families(self.body(server, "/metrics"))
        self.assertGreater(len(exported), 60)
        for name, (kind, labels) in exported.items():
            with self.subTest(name=name):
                self.assertIn(name, ours)
                self.assertEqual(ours[name][0], kind)
                self.assertEqual(ours[name][1], labels)

    def test_ours_has_what_the_exporter_says_about_redis(self):
        redis = ServerProcess("redis-server", {"enable-debug-command": "yes"})
        self.addCleanup(redis.destroy)
        redis.start()
        self.use(redis)
        exported = self.export(redis)
        server = self.start_admin_server({"enable-debug-command": "yes"})
        self.use(server)
        ours = families(self.body(server, "/metrics"))
        self.assertEqual(sorted(set(exported) - set(ours)), [])
        for name, family in exported.items():
            self.assertEqual(ours[name], family, name)

    def test_promtool_reads_it(self):
        server = self.start_admin_server({"enable-debug-command": "yes"})
        self.use(server)
        text = self.body(server, "/metrics")
        for given, statuses in ((text, (0, 3)), (text + "redis_up{ 1\n", (1,))):
            check = subprocess.run(["promtool", "check", "metrics"], input=given, text=True,
                                   capture_output=True, timeout=60, check=False)
            self.assertIn(check.returncode, statuses, check.stdout + check.stderr)
            if check.returncode == 3:
                for line in (check.stdout + check.stderr).splitlines():
                    self.assertRegex(line, COMPLAINTS_OF_EXPORTER)

    def test_prometheus_scrapes_it(self):
        server = self.start_admin_server()
        self.use(server)
        port = free_port()
        config = os.path.join(self.directory, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n"
                       "scrape_configs:\n  - job_name: aeris\n    static_configs:\n"
                       f"      - targets: ['127.0.0.1:{server.admin_port}']\n")
        self.program("/usr/bin/prometheus", f"--config.file={config}",
                     f"--storage.tsdb.path={self.directory}/data",
                     f"--web.listen-address=127.0.0.1:{port}")

        def query(expression):
            text = answer(f"http://127.0.0.1:{port}/api/v1/query?"
                          + urllib.parse.urlencode({"query": expression}))
            result = json.loads(text)["data"]["result"] if text else []
            return [sample["value"][1] for sample in result]

        def hits():
            return query("sum(redis_keyspace_hits_total)")

        self.wait_for(lambda: query('up{job="aeris"}') == ["1"], "Prometheus to scrape", 90)
        self.assertEqual(query('redis_db_keys{db="db0"}'), ["1"])
        self.assertEqual(hits(), ["1"])
        with server.connect() as client:
            for _ in range(41):
                client.call("GET", "key")
        self.wait_for(lambda: hits() == ["42"], "Prometheus to see the commands", 30)
        self.assertEqual(query('min_over_time(up{job="aeris"}[1m])'), ["1"])
        targets = json.loads(fetch(f"http://127.0.0.1:{port}/api/v1/targets"))
        self.assertEqual(targets["data"]["activeTargets"][0]["lastError"], "")
