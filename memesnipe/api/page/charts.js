// Line and bar charts (uPlot, vendored): one element that follows its own width.
import uPlot from "./vendor/uplot-1.6.32.js";
import { h } from "./dom.js";
import { colour } from "./theme.js";

const FONT = "12px ui-sans-serif, system-ui, sans-serif";

const DAY_S = 86400;
const MINUTE_S = 60;
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000];

// Write the times of an axis on one line: hours, or days where they are further apart; the day with the first of each.
function times(_, seconds, _axis, _space, step) {
  return seconds.map((second, i) => {
    const text = new Date(second * 1e3).toISOString();
    if (step >= DAY_S) return text.slice(5, 10);
    const isNewDay = i > 0 && Math.floor(second / DAY_S) !== Math.floor(seconds[i - 1] / DAY_S);
    return isNewDay ? text.slice(5, 10) : text.slice(11, step < MINUTE_S ? 19 : 16);
  });
}

const instant = (second) => (second === undefined ? "–" : `${new Date(second * 1e3).toISOString().slice(0, 16).replace("T", " ")} UTC`);

// The range of bars: half of one more at both ends, so that the first and the last are whole.
function whole({ data: [x] }, low, high) {
  const half = x.length > 1 ? (x.at(-1) - x[0]) / (x.length - 1) / 2 : 0.5;
  return [low - half, high + half];
}

const axis = (format, size) => ({
  stroke: colour("muted"), font: FONT, size, gap: 6,
  grid: { stroke: colour("line"), width: 1 }, ticks: { show: false },
  ...(format ? { values: (_, values, _axis, _space, step) => values.map((value) => (value === null ? "" : format(value, step))) } : {}),
});

// `series` are {name, colour, values, format, fill, dash, bars}; `x` are seconds, or numbers where `isTime` is false, whole ones where `isWhole`, and values are whole where `counts`.
export class Chart {
  constructor({ title, height = 260, x, series, format, isTime = true, isWhole = false, xFormat = null, xName = isTime ? "Time" : "Value", zero = false, counts = false, legend = true }) {
    this.height = height;
    this.element = h("figure", { class: "chart", role: "img", "aria-label": title });
    this.options = {
      width: 100, height, title: "", tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "UTC"),
      cursor: { drag: { x: true, y: false } },
      legend: { show: legend, live: legend },
      scales: { x: { time: isTime, range: series.some((line) => line.bars) ? whole : undefined }, y: { range: zero ? (_, low, high) => [Math.min(low, 0), Math.max(high, 0)] : undefined } },
      axes: [{ ...axis(xFormat, 30), ...(isTime ? { values: times } : {}), ...(isWhole ? { incrs: WHOLE } : {}), space: 70 }, { ...axis(format, 72), ...(counts ? { incrs: WHOLE } : {}) }],
      series: [{ label: xName, value: (plot, value) => (xFormat ?? instant)(value ?? plot.data[0].at(-1)) }, ...series.map((line) => this.line(line, format))],
    };
    this.data = [x, ...series.map((line) => line.values)];
    this.plot = null;
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.element);
  }

  line({ name, colour: hue, format: own, fill = false, dash, bars = false }, format) {
    const write = own ?? format ?? String;
    return {
      label: name, stroke: colour(hue), width: bars ? 0 : 1.75, dash, points: { show: false },
      fill: bars || fill ? colour(`${hue}-soft`) : undefined,
      ...(bars ? { paths: uPlot.paths.bars({ size: [0.85, 60] }), fill: colour(hue) } : {}),
      value: (plot, value, series, index) => {
        const shown = index === null ? plot.data[series].at(-1) : value; // without a pointer, the last one
        return shown === null || shown === undefined ? "–" : write(shown);
      },
    };
  }

  draw() {
    const width = Math.floor(this.element.clientWidth);
    if (width < 80) return;
    if (this.plot) this.plot.setSize({ width, height: this.height });
    else this.plot = new uPlot({ ...this.options, width }, this.data, this.element);
  }

  set(x, ...values) {
    this.data = [x, ...values];
    this.plot?.setData(this.data);
  }

  close() {
    this.observer.disconnect();
    this.plot?.destroy();
  }
}
