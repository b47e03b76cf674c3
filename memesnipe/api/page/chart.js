// The equity curve as SVG, drawn at its size in pixels, so that its text is not stretched.
import { clock, day, minute, moment, usd } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const EDGE = { top: 12, right: 12, bottom: 26, left: 74 };

const make = (name, attributes = {}, text = "") => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
};

// Return multiples of a round step (1, 2 or 5 times a power of ten), about `count` of them.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough);
  const found = [];
  for (let number = Math.ceil(low / step); number * step <= high + step * 1e-9; number += 1) found.push(number * step);
  return found;
}

function range(points) {
  const values = points.map((point) => point.equity_usd);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = Math.max((high - low) * 0.12, Math.abs(high) * 0.002, 0.01);
  return [low - margin, high + margin];
}

const TIME_STEPS_S = [1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800, 2592000];

function timeTicks(first, last, count) {
  const step = (TIME_STEPS_S.find((s) => (last - first) / (s * 1e9) <= count) ?? TIME_STEPS_S.at(-1)) * 1e9;
  const found = [];
  for (let number = Math.ceil(first / step); number * step <= last; number += 1) found.push(number * step);
  return [found, step >= 86400e9 ? day : step >= 60e9 ? minute : clock];
}

export class Chart {
  constructor(container) {
    this.container = container;
    this.points = [];
    this.drawn = "";
    new ResizeObserver(() => this.draw()).observe(container);
    container.addEventListener("pointermove", (event) => this.point(event.clientX));
    container.addEventListener("pointerleave", () => this.cursor?.setAttribute("visibility", "hidden"));
  }

  show(points) {
    this.points = points;
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.container;
    const key = `${width} ${height} ${this.points.length} ${this.points.at(-1)?.seq} ${this.points[0]?.seq}`;
    if (key === this.drawn || width < 160) return;
    this.drawn = key;
    if (this.points.length < 2) {
      const text = document.createElement("p");
      text.className = "empty";
      text.textContent = "No curve yet: equity is recorded at each rebalance, and the curve needs two points.";
      this.container.replaceChildren(text);
      return;
    }
    const [first, last] = [this.points[0], this.points.at(-1)];
    const [low, high] = range(this.points);
    const span = Math.max(last.ts - first.ts, 1);
    this.x = (ts) => EDGE.left + ((ts - first.ts) / span) * (width - EDGE.left - EDGE.right);
    this.y = (value) => EDGE.top + ((high - value) / (high - low)) * (height - EDGE.top - EDGE.bottom);
    const label = `Equity from ${usd(first.equity_usd)} at ${moment(first.ts)} to ${usd(last.equity_usd)} at ${moment(last.ts)}`;
    const svg = make("svg", { width, height, role: "img", "aria-label": label });
    this.axes(svg, width, height, low, high);
    this.line(svg, height, first, last);
    this.container.replaceChildren(svg);
  }

  axes(svg, width, height, low, high) {
    for (const value of ticks(low, high, height / 60)) {
      const y = this.y(value);
      svg.append(make("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y }));
      const text = Math.abs(high - low) > 20 ? usd(value).replace(/\.\d+$/, "") : usd(value);
      svg.append(make("text", { x: EDGE.left - 10, y: y + 4, "text-anchor": "end" }, text));
    }
    const [times, write] = timeTicks(this.points[0].ts, this.points.at(-1).ts, width / 110);
    for (const ts of times) {
      const x = this.x(ts);
      if (x > width - 26 || x < EDGE.left + 10) continue;
      svg.append(make("text", { x, y: height - 6, "text-anchor": "middle" }, write(ts)));
    }
    svg.append(make("text", { x: EDGE.left - 10, y: height - 6, "text-anchor": "end" }, "UTC"));
  }

  line(svg, height, first, last) {
    const floor = height - EDGE.bottom;
    const path = this.points.map((p) => `${this.x(p.ts).toFixed(1)},${this.y(p.equity_usd).toFixed(1)}`).join("L");
    const start = this.y(first.equity_usd);
    svg.append(make("path", { class: "area", d: `M${this.x(first.ts)},${floor}L${path}L${this.x(last.ts)},${floor}Z` }));
    svg.append(make("line", { class: "start", x1: this.x(first.ts), x2: this.x(last.ts), y1: start, y2: start }));
    svg.append(make("path", { class: "line", d: `M${path}` }));
    svg.append(make("circle", { class: "now", cx: this.x(last.ts), cy: this.y(last.equity_usd), r: 3.5 }));
    this.cursor = make("g", { class: "cursor", visibility: "hidden" });
    this.cursor.append(make("line", { y1: EDGE.top, y2: floor }), make("circle", { r: 3.5 }), make("text", { y: EDGE.top + 2 }));
    svg.append(this.cursor);
  }

  // Show the value and time of the point nearest to the mouse.
  point(clientX) {
    if (this.points.length < 2 || !this.cursor) return;
    const at = clientX - this.container.getBoundingClientRect().left;
    const near = this.points.reduce((a, b) => (Math.abs(this.x(b.ts) - at) < Math.abs(this.x(a.ts) - at) ? b : a));
    const [line, circle, text] = this.cursor.children;
    const x = this.x(near.ts);
    const isRight = x > this.container.clientWidth / 2;
    for (const name of ["x1", "x2"]) line.setAttribute(name, x);
    circle.setAttribute("cx", x);
    circle.setAttribute("cy", this.y(near.equity_usd));
    text.setAttribute("x", x + (isRight ? -8 : 8));
    text.setAttribute("text-anchor", isRight ? "end" : "start");
    text.textContent = `${usd(near.equity_usd)} · ${moment(near.ts)}`;
    this.cursor.setAttribute("visibility", "visible");
  }
}
