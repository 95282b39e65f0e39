// Asks /stats.json once a second for what is new and draws it. Whatever came from a client of the
// server (names of keys) goes to the page as text, never as markup.

import {Chart} from "/chart.js";
import * as format from "/format.js";

const POLL_MS = 1000, ANSWER_MS = 3000, ROWS_MAX = 300;

const byId = (id) => document.getElementById(id);
let rows = [];      // the last five minutes, oldest first
let columns = [];
let next = 0;       // number of the first row that is missing
let runId = null;   // of the server that the rows are of
let lostAt = null;
let pointer = null;

const share = (row) => (row.hits + row.misses > 0 ? row.hits / (row.hits + row.misses) : null);
const some = (name) => (row) => (row[name] > 0 ? row[name] : null);
const of = (name) => (row) => row[name];

const charts = [
  {title: "Operations", note: "per second", format: format.count, least: 10,
   series: [{name: "commands", value: of("operations"), color: "blue", fill: true}]},
  {title: "Hit ratio", note: "of each second's lookups", format: format.percent, max: 1,
   series: [{name: "hits", value: share, color: "green", fill: true}]},
  {title: "Memory", format: format.bytes, bytes: true, least: 1 << 20,
   series: [{name: "in use", value: of("used_bytes"), color: "blue", fill: true},
            {name: "resident", value: of("resident_bytes"), color: "amber"},
            {name: "limit", value: some("limit_bytes"), color: "red", dashed: true}]},
  {title: "Keys removed", note: "per second", format: format.count, least: 10,
   series: [{name: "evicted", value: of("evicted"), color: "red"},
            {name: "expired", value: of("expired"), color: "blue"}]},
  {title: "Expiry lag", note: "deadline to removal", format: format.milliseconds, least: 10,
   series: [{name: "p50", value: of("expire_lag_p50_ms"), color: "green"},
            {name: "p99", value: of("expire_lag_p99_ms"), color: "blue"},
            {name: "max", value: of("expire_lag_max_ms"), color: "red"}]},
  {title: "Latency", note: "of commands, log scale", format: format.microseconds, log: true,
   series: [{name: "p50", value: some("latency_p50_us"), color: "green"},
            {name: "p99", value: some("latency_p99_us"), color: "blue"},
            {name: "p99.9", value: some("latency_p999_us"), color: "red"}]},
].map((options) => new Chart(byId("charts"), options));

// ---- tiles

function makeTile(title) {
  const tile = document.createElement("div");
  tile.className = "tile";
  const head = document.createElement("h2");
  head.textContent = title;
  const value = document.createElement("strong");
  const note = document.createElement("small");
  tile.append(head, value, note);
  byId("tiles").append(tile);
  return {value, note};
}

const tiles = {
  operations: makeTile("Operations per second"),
  hits: makeTile("Hit ratio, last minute"),
  memory: makeTile("Memory in use"),
  keys: makeTile("Keys"),
  clients: makeTile("Clients"),
  removed: makeTile("Evicted, expired"),
};
const meter = document.createElement("meter");
meter.hidden = true;
tiles.memory.value.after(meter);

function setTile(tile, value, note) {
  tile.value.textContent = value;
  tile.note.textContent = note;
}

function showTiles(stats) {
  const {memory, clients, cache} = stats;
  const row = rows.at(-1);
  setTile(tiles.operations, row ? format.count(row.operations) : "–",
          row ? `${format.bytes(row.input_bytes)}/s in, ${format.bytes(row.output_bytes)}/s out` : "");
  setTile(tiles.hits, cache.lookups_minute > 0 ? format.percent(cache.hit_ratio_minute) : "–",
          `${format.count(cache.lookups_minute)} lookups; ${format.percent(cache.hit_ratio)} in all`);
  const limited = memory.limit > 0;
  setTile(tiles.memory, format.bytes(memory.used),
          limited ? `of ${format.bytes(memory.limit)}, ${memory.policy}` : "no limit");
  meter.hidden = !limited;
  meter.max = Math.max(memory.limit, 1);
  meter.value = memory.used;
  setTile(tiles.keys, row ? format.count(row.keys) : "–",
          row ? `${format.count(row.expire_backlog)} due and not yet removed` : "");
  setTile(tiles.clients, format.count(clients.connected),
          `${format.count(clients.blocked)} wait, of ${format.count(clients.max)} at most`);
  setTile(tiles.removed, `${format.count(cache.evicted)}, ${format.count(cache.expired)}`,
          cache.evicted > 0 ? `evicted after ${format.duration(cache.evicted_age_p50_seconds)} unused (median)`
                            : "keys since the start");
}

// ---- tables

function cell(text, className) {
  const element = document.createElement("td");
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

function fillTable(id, lines) {
  const table = byId(id);
  table.tBodies[0].replaceChildren(...lines.map((cells) => {
    const line = document.createElement("tr");
    line.append(...cells);
    return line;
  }));
  table.hidden = lines.length === 0;
  table.closest("article").querySelector(".empty").hidden = lines.length !== 0;
}

function keyCell(entry, hidden) {
  const element = cell(entry.key ?? (hidden ? "hidden: clients need a password or rights" : ""), "key");
  if (entry.key === undefined) element.style.color = "var(--soft)";
  return element;
}

function showTables(stats) {
  const {keys_hidden: hidden, time_ms: now} = stats.server;
  const most = Math.max(1, ...stats.hot_keys.map((key) => key.requests));
  fillTable("hot-keys", stats.hot_keys.map((key) => {
    const name = keyCell(key, hidden);
    name.style.setProperty("--share", 100 * key.requests / most + "%");
    return [name, cell(key.db), cell(format.count(key.requests), "n"), cell(format.bytes(key.bytes), "n")];
  }));
  fillTable("slow-log", stats.slow_log.map((slow) => [
    cell(slow.command), keyCell(slow, hidden && slow.arguments > 0), cell(slow.arguments, "n"),
    cell(format.microseconds(slow.microseconds), "n"),
    cell(format.duration(Math.max(0, now / 1000 - slow.time)), "n"),
  ]));
  fillTable("databases", stats.databases.map((db) => [
    cell(db.db), cell(format.count(db.keys), "n"), cell(format.count(db.deadlines), "n"),
    cell(format.bytes(db.bytes), "n"), cell(db.limit > 0 ? format.bytes(db.limit) : "–", "n"),
    cell(db.hits + db.misses > 0 ? format.percent(db.hits / (db.hits + db.misses)) : "–", "n"),
    cell(format.count(db.evicted), "n"), cell(db.policy),
  ]));
}

// ---- state and charts

function showState(state, text) {
  byId("state").dataset.state = state;
  byId("state").textContent = text;
  document.body.classList.toggle("lost", state === "lost");
}

function drawCharts() {
  const end = rows.length > 0 ? rows.at(-1).time_ms : Date.now();
  const held = rows.length > 0 ? end - rows[0].time_ms : 0;
  const minutes = Math.min(5, Math.max(1, Math.ceil(held / 60000)));
  const view = {rows, pointer, begin: end - 60000 * minutes, end};
  for (const chart of charts) chart.draw(view);
  return view;
}

function take(stats) {
  const restarted = runId !== null && runId !== stats.server.run_id;
  runId = stats.server.run_id;
  if (restarted && next !== 0) {
    // Rows of before are another server's; ask for all of this one.
    rows = [];
    next = 0;
    return false;
  }
  if (stats.first < next) rows = [];
  columns = stats.columns;
  for (const values of stats.rows) {
    rows.push(Object.fromEntries(columns.map((name, i) => [name, values[i]])));
  }
  rows = rows.slice(-ROWS_MAX);
  next = stats.next;
  show(stats);
  return true;
}

function show(stats) {
  const {server} = stats;
  lostAt = null;
  byId("version").textContent = server.version;
  byId("about").textContent = `port ${server.port}, up ${format.duration(server.uptime_seconds)}`;
  document.title = `aeris ${server.port}`;
  if (stats.not_ready.length > 0) showState("refusing", stats.not_ready.join("; "));
  else showState("live", "live");
  showTiles(stats);
  showTables(stats);
  drawCharts();
}

function lose() {
  lostAt ??= new Date();
  showState("lost", `no answer since ${lostAt.toLocaleTimeString()}, trying again`);
}

// Null when there is no answer.
async function ask() {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), ANSWER_MS);
  try {
    const reply = await fetch(`/stats.json?since=${next}`, {cache: "no-store", signal: abort.signal});
    return reply.ok ? await reply.json() : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function poll() {
  const stats = await ask();
  let wait = POLL_MS;
  try {
    if (stats === null) lose();
    else if (!take(stats)) wait = 0;
  } finally {
    setTimeout(poll, wait);
  }
}

// ---- pointer, size, colours

byId("charts").addEventListener("pointermove", (event) => {
  const chart = charts.find((one) => one.canvas === event.target);
  pointer = null;
  if (chart) pointer = chart.timeAt(event.clientX, drawCharts());
  drawCharts();
});
byId("charts").addEventListener("pointerleave", () => {
  pointer = null;
  drawCharts();
});
window.addEventListener("resize", drawCharts);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);

drawCharts();
poll();
