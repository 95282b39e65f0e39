// A chart of lines over the last minutes, on a canvas: axes from zero with round steps and units, a
// legend that shows the latest values, or those at the time that the pointer is at.

const LEFT = 62, RIGHT = 10, TOP = 8, BOTTOM = 18;
const TICKS = 5;
const GAP_MS = 3500;  // rows come once a second; a longer pause is a gap, not a line

// Steps of 1, 2, 2.5, 5 and their tenfolds; for bytes powers of two.
function stepOf(max, ticks, powersOfTwo) {
  const rough = max / ticks;
  if (powersOfTwo) return 2 ** Math.ceil(Math.log2(Math.max(rough, 1)));
  const power = 10 ** Math.floor(Math.log10(rough));
  for (const factor of [1, 2, 2.5, 5]) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

function linearAxis(max, options) {
  if (options.max !== undefined) max = options.max;
  if (!(max > 0)) max = options.least ?? 1;
  const step = stepOf(max, TICKS, options.bytes);
  const top = Math.ceil(max / step - 1e-9) * step;
  const ticks = [];
  for (let i = 0; i * step <= top * 1.0001; ++i) ticks.push(i * step);
  return {ticks, place: (value) => value / top};
}

function logAxis(min, max) {
  const bottom = Math.floor(Math.log10(min));
  const top = Math.max(Math.ceil(Math.log10(max)), bottom + 1);
  const ticks = [];
  for (let power = bottom; power <= top; ++power) ticks.push(10 ** power);
  return {ticks, place: (value) => (Math.log10(value) - bottom) / (top - bottom)};
}

export class Chart {
  // options: title, note, format, series [{name, value(row), color, dashed, fill}], log, bytes, max,
  // least (the top of the axis while all is zero).
  constructor(parent, options) {
    this.options = options;
    this.figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    const title = document.createElement("h2");
    title.textContent = options.title + " ";
    if (options.note) {
      const note = document.createElement("small");
      note.textContent = options.note;
      title.append(note);
    }
    const legend = document.createElement("ul");
    this.values = options.series.map((series) => {
      const item = document.createElement("li");
      const value = document.createElement("b");
      item.style.setProperty("--color", `var(--${series.color})`);
      if (series.dashed) item.className = "dashed";
      item.append(series.name + " ", value);
      legend.append(item);
      return value;
    });
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    caption.append(title, legend);
    this.figure.append(caption, this.canvas);
    parent.append(this.figure);
  }

  // The time that a position of the pointer stands for.
  timeAt(clientX, view) {
    const box = this.canvas.getBoundingClientRect();
    const share = (clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
    return view.begin + Math.min(1, Math.max(0, share)) * (view.end - view.begin);
  }

  // view: rows, begin and end in ms, and pointer, a time or null.
  draw(view) {
    const {series, format, title} = this.options;
    const shown = view.pointer === null ? view.rows.at(-1) : nearest(view.rows, view.pointer);
    const texts = series.map((one) => {
      const value = shown ? one.value(shown) : null;
      return value === null ? "–" : format(value);
    });
    texts.forEach((text, i) => { this.values[i].textContent = text; });
    const sentence = series.map((one, i) => `${one.name} ${texts[i]}`).join(", ");
    this.canvas.setAttribute("aria-label", `${title}: ${sentence}`);

    const pen = this.prepare();
    if (!pen) return;
    const axis = this.axis(view.rows);
    this.drawAxes(pen, axis, view);
    for (const one of series) this.drawSeries(pen, axis, view, one);
    if (view.pointer !== null && shown) this.drawPointer(pen, view, shown);
  }

  prepare() {
    const scale = window.devicePixelRatio || 1;
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    if (width <= LEFT + RIGHT || height === 0) return null;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    this.plot = {left: LEFT, right: width - RIGHT, top: TOP, bottom: height - BOTTOM};
    this.style = getComputedStyle(document.documentElement);
    return pen;
  }

  color(name) {
    return this.style.getPropertyValue("--" + name);
  }

  axis(rows) {
    let min = Infinity, max = 0;
    for (const row of rows) {
      for (const one of this.options.series) {
        const value = one.value(row);
        if (value === null) continue;
        max = Math.max(max, value);
        if (value > 0) min = Math.min(min, value);
      }
    }
    if (this.options.log) return max > 0 ? logAxis(min, max) : logAxis(1, 10);
    return linearAxis(max, this.options);
  }

  x(view, time) {
    const {left, right} = this.plot;
    return left + (time - view.begin) / (view.end - view.begin) * (right - left);
  }

  y(axis, value) {
    const {top, bottom} = this.plot;
    return bottom - axis.place(value) * (bottom - top);
  }

  drawAxes(pen, axis, view) {
    const {left, right, bottom} = this.plot;
    pen.font = "11px system-ui, 'DejaVu Sans', sans-serif";
    pen.fillStyle = this.color("soft");
    pen.strokeStyle = this.color("grid");
    pen.lineWidth = 1;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const tick of axis.ticks) {
      const y = Math.round(this.y(axis, tick)) + 0.5;
      pen.beginPath();
      pen.moveTo(left, y);
      pen.lineTo(right, y);
      pen.stroke();
      pen.fillText(this.options.format(tick), left - 6, y);
    }
    const span = (view.end - view.begin) / 1000;
    const step = span <= 60 ? 15 : span <= 120 ? 30 : 60;
    pen.textBaseline = "alphabetic";
    for (let ago = 0; ago <= span; ago += step) {
      const text = ago === 0 ? "now" : ago % 60 === 0 ? `-${ago / 60} min` : `-${ago} s`;
      pen.textAlign = ago === 0 ? "right" : ago === span ? "left" : "center";
      pen.fillText(text, this.x(view, view.end - 1000 * ago), bottom + 14);
    }
  }

  drawSeries(pen, axis, view, one) {
    pen.strokeStyle = this.color(one.color);
    pen.fillStyle = this.color(one.color);
    pen.lineWidth = one.dashed ? 1.5 : 2;
    pen.lineJoin = "round";
    pen.setLineDash(one.dashed ? [5, 4] : []);
    let run = [];
    let last = null;
    const rows = view.rows.filter((row) => row.time_ms >= view.begin);
    for (const row of rows) {
      const value = one.value(row);
      const gap = last !== null && row.time_ms - last > GAP_MS;
      if (gap || value === null || (this.options.log && !(value > 0))) {
        this.drawRun(pen, run, one);
        run = [];
      }
      last = row.time_ms;
      if (value === null || (this.options.log && !(value > 0))) continue;
      run.push([this.x(view, row.time_ms), this.y(axis, value)]);
    }
    this.drawRun(pen, run, one);
    pen.setLineDash([]);
  }

  drawRun(pen, run, one) {
    if (run.length === 0) return;
    pen.beginPath();
    run.forEach(([x, y], i) => (i === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)));
    if (run.length === 1) pen.lineTo(run[0][0] + 1, run[0][1]);
    pen.stroke();
    if (!one.fill) return;
    pen.lineTo(run.at(-1)[0], this.plot.bottom);
    pen.lineTo(run[0][0], this.plot.bottom);
    pen.closePath();
    pen.globalAlpha = 0.12;
    pen.fill();
    pen.globalAlpha = 1;
  }

  drawPointer(pen, view, row) {
    const x = Math.round(this.x(view, row.time_ms)) + 0.5;
    pen.strokeStyle = this.color("limit");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x, this.plot.top);
    pen.lineTo(x, this.plot.bottom);
    pen.stroke();
  }
}

function nearest(rows, time) {
  let best = null;
  for (const row of rows) {
    if (best === null || Math.abs(row.time_ms - time) < Math.abs(best.time_ms - time)) best = row;
  }
  return best;
}
