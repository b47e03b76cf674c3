// Candles of a token with our trades in it (lightweight-charts, vendored).
import { CandlestickSeries, createChart, createSeriesMarkers, HistogramSeries } from "./vendor/lightweight-charts-5.2.1.js";
import { h, link } from "./dom.js";
import { price, words } from "./format.js";
import { colour } from "./theme.js";

const BUYS = new Set(["buy", "cover"]);

export class Candles {
  constructor({ candles, interval_s: interval, trades }, height = 340) {
    this.box = h("div", { class: "candles", role: "img", "aria-label": "Price with our trades" });
    this.element = h("figure", { class: "chart" }, this.box, h("figcaption", { class: "muted" },
      "Price in USD, UTC. Arrows are our trades. Chart: ",
      link("https://www.tradingview.com/", "TradingView Lightweight Charts™", { rel: "noreferrer" }), ", © TradingView, Inc."));
    this.chart = createChart(this.box, {
      height, autoSize: false, width: 300,
      layout: { background: { color: "transparent" }, textColor: colour("muted"), attributionLogo: false },
      grid: { vertLines: { color: colour("line") }, horzLines: { color: colour("line") } },
      timeScale: { timeVisible: true, secondsVisible: interval < 60, borderColor: colour("line") },
      rightPriceScale: { borderColor: colour("line") },
      localization: { priceFormatter: price },
    });
    const [good, bad] = [colour("good"), colour("bad")];
    const series = this.chart.addSeries(CandlestickSeries, {
      upColor: good, downColor: bad, borderUpColor: good, borderDownColor: bad, wickUpColor: good, wickDownColor: bad,
    });
    series.setData(candles.map((c) => ({ time: c.ts / 1e9, open: c.open_usd, high: c.high_usd, low: c.low_usd, close: c.close_usd })));
    const volume = this.chart.addSeries(HistogramSeries, { priceScaleId: "", color: colour("soft"), lastValueVisible: false, priceLineVisible: false, priceFormat: { type: "volume" } });
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.85, bottom: 0 } });
    volume.setData(candles.map((c) => ({ time: c.ts / 1e9, value: c.volume_usd })));
    createSeriesMarkers(series, this.markers(candles, interval, trades, good, bad));
    this.observer = new ResizeObserver(() => {
      this.chart.resize(Math.max(this.box.clientWidth, 80), height);
      this.chart.timeScale().fitContent();
    });
    this.observer.observe(this.box);
  }

  markers(candles, interval, trades, good, bad) {
    const first = candles[0]?.ts ?? Infinity;
    return trades.filter((trade) => !trade.failure && trade.ts >= first).map((trade) => ({
      time: Math.floor(trade.ts / 1e9 / interval) * interval,
      position: BUYS.has(trade.side) ? "belowBar" : "aboveBar",
      shape: BUYS.has(trade.side) ? "arrowUp" : "arrowDown",
      color: BUYS.has(trade.side) ? good : bad,
      text: trades.length <= 12 ? `${trade.side} ${words(trade.reason)}` : "",
    }));
  }

  close() {
    this.observer.disconnect();
    this.chart.remove();
  }
}
