// Candles of a token with our trades in it (lightweight-charts, vendored).
import { CandlestickSeries, createChart, createSeriesMarkers, HistogramSeries } from "./vendor/lightweight-charts-5.2.1.js";
import { h, link } from "./dom.js";
import { chartPrice, clock, words } from "./format.js";
import { colour } from "./theme.js";

const BUYS = new Set(["buy", "cover"]);
const NARROW_PX = 600;
const LETTER_PX = 7; // of a name at an arrow; names without room are left out
const ARROW_PX = 16; // of width for an arrow: those nearer to each other become one
const SMALL = 1e-8; // a step between such small prices
const MARGIN = 0.04; // of the candles, on both sides: labels and arrows there are whole
const DIGITS = 4; // of a price, that its scale tells apart

export class Candles {
  constructor({ candles, interval_s: interval, trades }, height = 340) {
    this.box = h("div", { class: "candles", role: "img", "aria-label": "Price with our trades" });
    this.reading = h("p", { class: "muted reading" });
    this.element = h("figure", { class: "chart" }, this.box, this.reading, h("figcaption", { class: "muted" },
      `Price in USD${stepOf(candles) < SMALL ? " (0.0₅12 is 0.0000012)" : ""}, UTC. An arrow is one or several of our trades; the line above names those under the pointer. Chart: `,
      link("https://www.tradingview.com/", "TradingView Lightweight Charts™", { rel: "noreferrer" }), ", © TradingView, Inc."));
    this.chart = createChart(this.box, {
      height, autoSize: false, width: 300,
      layout: { background: { color: "transparent" }, textColor: colour("muted"), attributionLogo: false },
      grid: { vertLines: { color: colour("line") }, horzLines: { color: colour("line") } },
      timeScale: { timeVisible: true, secondsVisible: interval < 60, borderColor: colour("line") },
      rightPriceScale: { borderColor: colour("line"), entireTextOnly: true },
      localization: { priceFormatter: chartPrice },
    });
    const [good, bad] = [colour("good"), colour("bad")];
    const series = this.chart.addSeries(CandlestickSeries, {
      priceFormat: { type: "custom", formatter: chartPrice, minMove: stepOf(candles) },
      upColor: good, downColor: bad, borderUpColor: good, borderDownColor: bad, wickUpColor: good, wickDownColor: bad,
    });
    series.setData(candles.map((c) => ({ time: c.ts / 1e9, open: c.open_usd, high: c.high_usd, low: c.low_usd, close: c.close_usd })));
    const volume = this.chart.addSeries(HistogramSeries, { priceScaleId: "", color: colour("soft"), lastValueVisible: false, priceLineVisible: false, priceFormat: { type: "volume" } });
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.85, bottom: 0 } });
    volume.setData(candles.map((c) => ({ time: c.ts / 1e9, value: c.volume_usd })));
    const fills = trades.filter((trade) => !trade.failure && trade.ts >= (candles[0]?.ts ?? Infinity));
    const markers = createSeriesMarkers(series, []);
    const draw = () => {
      const range = this.chart.timeScale().getVisibleLogicalRange();
      const shown = range ? range.to - range.from : candles.length;
      const groups = grouped(candles, fills, Math.ceil((shown * ARROW_PX) / Math.max(this.box.clientWidth, 80)));
      const named = this.box.clientWidth < NARROW_PX ? new Set() : apart(groups, this.box.clientWidth / shown);
      markers.setMarkers(groups.map((group) => marker(group, named.has(group), good, bad)));
    };
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(draw);
    this.chart.subscribeCrosshairMove(({ time }) => this.read(candles.find((c) => c.ts / 1e9 === time), fills, interval));
    this.read(candles.at(-1), [], interval);
    this.observer = new ResizeObserver(() => {
      this.chart.resize(Math.max(this.box.clientWidth, 80), height);
      const margin = candles.length * MARGIN;
      this.chart.timeScale().setVisibleLogicalRange({ from: -margin, to: candles.length - 1 + margin });
    });
    this.observer.observe(this.box);
  }

  // Write the candle under the pointer, with our trades in it.
  read(candle, fills, interval) {
    if (!candle) return;
    const inside = fills.filter(({ ts }) => ts >= candle.ts && ts < candle.ts + interval * 1e9);
    const ours = inside.map((trade) => `${trade.side}, ${words(trade.reason)}`);
    const [open, high, low, close] = [candle.open_usd, candle.high_usd, candle.low_usd, candle.close_usd].map(chartPrice);
    this.reading.textContent = [`${clock(candle.ts)}: open ${open}, high ${high}, low ${low}, close ${close}`, ...ours].join("; ");
  }

  close() {
    this.observer.disconnect();
    this.chart.remove();
  }
}

// The least difference between prices that the scale shows.
function stepOf(candles) {
  const least = Math.min(...candles.map((candle) => candle.low_usd).filter((low) => low > 0));
  return Number.isFinite(least) ? 10 ** (Math.floor(Math.log10(least)) - DIGITS) : 0.01;
}

// Our trades by neighbouring candles, so many together, and direction: one arrow for each.
function grouped(candles, fills, together) {
  const groups = new Map();
  let at = 0;
  for (const trade of [...fills].sort((a, b) => a.ts - b.ts)) {
    while (at + 1 < candles.length && candles[at + 1].ts <= trade.ts) at += 1;
    const [block, isBuy] = [Math.floor(at / together), BUYS.has(trade.side)];
    const key = `${block} ${isBuy}`;
    if (!groups.has(key)) groups.set(key, { time: candles[at].ts / 1e9, at, isBuy, trades: [] });
    groups.get(key).trades.push(trade);
  }
  return [...groups.values()].sort((a, b) => a.time - b.time);
}

const nameOf = ({ trades: [first, ...others] }) => (others.length ? `${others.length + 1}×` : `${first.side} ${words(first.reason)}`);

// The groups whose names have room between the arrows beside them, and between names, at so many pixels for a candle.
export function apart(groups, candlePx) {
  const named = new Set();
  let end = -Infinity; // of the last name
  groups.forEach((group, i) => {
    const [x, half] = [group.at * candlePx, (nameOf(group).length * LETTER_PX) / 2];
    const isClear = [groups[i - 1], groups[i + 1]].every((other) => !other || Math.abs(other.at * candlePx - x) >= half + ARROW_PX / 2);
    if (!isClear || x - half < end) return;
    end = x + half;
    named.add(group);
  });
  return named;
}

function marker(group, isNamed, good, bad) {
  const { time, isBuy } = group;
  return {
    time, position: isBuy ? "belowBar" : "aboveBar", shape: isBuy ? "arrowUp" : "arrowDown", color: isBuy ? good : bad,
    text: isNamed ? nameOf(group) : "",
  };
}
