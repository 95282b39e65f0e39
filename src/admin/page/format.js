// Numbers for people, each with its unit.

function digits(value) {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

function scaled(value, step, units) {
  let unit = 0;
  while (Math.abs(value) >= step && unit + 1 < units.length) {
    value /= step;
    ++unit;
  }
  return [value, units[unit]];
}

export function count(value) {
  if (Math.abs(value) < 10000) return digits(value).replace(/\B(?=(\d{3})+$)/, ",");
  const [number, unit] = scaled(value, 1000, ["", "k", "M", "G", "T"]);
  return digits(number) + unit;
}

export function bytes(value) {
  const [number, unit] = scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
  return digits(number) + " " + unit;
}

export function percent(value) {
  return (100 * value).toFixed(1).replace(/\.0$/, "") + "%";
}

export function microseconds(value) {
  if (value > 0 && value < 0.9995) return (1000 * value).toFixed(0) + " ns";
  const [number, unit] = scaled(value, 1000, ["µs", "ms"]);
  return unit === "ms" && number >= 1000 ? digits(number / 1000) + " s" : digits(number) + " " + unit;
}

export function milliseconds(value) {
  return value >= 1000 ? digits(value / 1000) + " s" : digits(value) + " ms";
}

export function duration(seconds) {
  if (seconds < 60) return Math.floor(seconds) + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min";
  if (seconds < 86400) return Math.floor(seconds / 3600) + " h " + Math.floor(seconds % 3600 / 60) + " min";
  return Math.floor(seconds / 86400) + " d " + Math.floor(seconds % 86400 / 3600) + " h";
}
