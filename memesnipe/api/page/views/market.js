// Market: tokens alive, launches, graduations and volume; a token with its candles and our trades.
import { get, list } from "../api.js";
import { Candles } from "../candles.js";
import { Chart } from "../charts.js";
import { badge, card, facts, failed, h, link, select, table } from "../dom.js";
import * as f from "../format.js";
import { VirtualTable } from "../virtual_table.js";
import { tokenLink, tradeColumns, when } from "./parts.js";

const REFRESH_MS = 10_000;

export function market(root, { query, go }) {
  const summary = h("div");
  const hours = h("div", { class: "columns even" });
  const rows = new VirtualTable({
    label: "Tokens", nouns: ["token", "tokens"], empty: () => "No token yet.", sort: "volume_usd",
    columns: [
      { name: "Token", cell: (t) => tokenLink(t.mint) },
      { name: "State", cell: (t) => [badge(t.is_alive ? "alive" : "quiet", t.is_alive ? "good" : ""), t.is_graduated ? badge("graduated", "paper") : null].filter(Boolean), class: "p2 states" },
      { name: "Price, USD", cell: (t) => f.price(t.price_usd), class: "n" },
      { name: "Volume", sort: "volume_usd", cell: (t) => f.roughUsd(t.volume_usd), class: "n" },
      { name: "Liquidity", sort: "liquidity_usd", cell: (t) => f.roughUsd(t.liquidity_usd), class: "n p2" },
      { name: "Trades", sort: "trades", cell: (t) => f.count(t.trades), class: "n p2" },
      { name: "Launched, UTC", sort: "first_ts", cell: (t) => `${f.day(t.first_ts)} ${f.clock(t.first_ts)}`, class: "time p3" },
      { name: "Last, UTC", sort: "last_ts", cell: (t) => `${f.day(t.last_ts)} ${f.clock(t.last_ts)}`, class: "time p3" },
    ],
    load: (offset, limit, sort) => list("market/tokens", { offset, limit, sort, alive: query.alive === "true" ? "true" : "" }),
  });
  const alive = select("Show", [["", "all tokens"], ["true", "alive ones"]], query.alive ?? "", (value) => {
    query.alive = value;
    history.replaceState(null, "", go("market", query));
    rows.refresh();
  });
  root.append(h("h1", {}, "Market"), card("Now", {}, summary), hours, card("Tokens", {}, h("form", { class: "filters" }, alive), rows.element));
  const charts = [];
  let next = 0;

  async function load() {
    const found = await get("market");
    summary.replaceChildren(facts([
      ["Tokens alive", f.count(found.alive)], ["Tokens seen", f.count(found.tokens)], ["Graduated", f.count(found.graduated)],
      ["Events counted", f.count(found.seq)], ["Not counted yet", f.count(found.behind)], ["At", found.ts ? f.moment(found.ts) : "–"]]));
    const x = found.hours.map((hour) => hour.ts / 1e9);
    const values = [found.hours.map((hour) => hour.launches), found.hours.map((hour) => hour.volume_usd)];
    if (charts.length) return charts.forEach((chart, i) => chart.set(x, values[i]));
    if (x.length < 2) return;
    charts.push(new Chart({ title: "Launches per hour", height: 180, x, format: f.count, zero: true, counts: true, series: [{ name: "Launches", colour: "accent", values: values[0], bars: true }] }));
    charts.push(new Chart({ title: "Volume per hour", height: 180, x, format: f.compactUsd, zero: true, series: [{ name: "Volume", colour: "amber", values: values[1], bars: true }] }));
    hours.append(card("Launches per hour", {}, charts[0].element), card("Volume per hour", {}, charts[1].element));
  }
  rows.refresh();
  return {
    update() {
      if (Date.now() < next) return;
      next = Date.now() + REFRESH_MS;
      load().catch(failed(summary));
      if (rows.scroller.scrollTop === 0) rows.refresh();
    },
    close: () => charts.forEach((chart) => chart.close()),
  };
}

const EXPLORERS = [["Solscan", (mint) => `https://solscan.io/token/${mint}`], ["DEX Screener", (mint) => `https://dexscreener.com/solana/${mint}`], ["pump.fun", (mint) => `https://pump.fun/coin/${mint}`],
  ["Solana Explorer", (mint) => `https://explorer.solana.com/address/${mint}`], ["RugCheck", (mint) => `https://rugcheck.xyz/tokens/${mint}`], ["Birdeye", (mint) => `https://birdeye.so/token/${mint}?chain=solana`]];

const showVerdicts = (verdicts) => table([
  { name: "When, UTC", cell: (v) => when(v.ts), class: "time" },
  { name: "Verdict", cell: (v) => badge(v.safe ? "safe" : "unsafe", v.safe ? "good" : "failed") },
  { name: "Against it", cell: (v) => (v.reasons.length ? h("ul", { class: "reasons" }, v.reasons.map((reason) => h("li", {}, `${reason.check}: ${reason.detail}`))) : "nothing"), class: "why" },
  { name: "Checks", cell: (v) => Object.entries(v.sources).map(([name, state]) => `${name}: ${state}`).join(", "), class: "why p2" },
], verdicts, "It has not been assessed. Tokens are assessed before a live purchase, and by `memesnipe safety`.");

export function token(root, { path }) {
  const mint = path[1];
  const charts = [];
  const box = h("div", { class: "stack" }, h("p", { class: "muted" }, "Loading …"));
  root.append(h("h1", {}, "Token ", h("span", { class: "mint long" }, mint)), box);
  get(`market/tokens/${encodeURIComponent(mint)}`).then((found) => {
    const chart = new Candles(found, 420);
    charts.push(chart);
    const { token: t } = found;
    const safety = card("Safety verdicts", { id: "safety" }, h("p", { class: "empty" }, "Loading …"));
    get(`tokens/${encodeURIComponent(mint)}/safety`).then((verdicts) => safety.lastChild.replaceWith(showVerdicts(verdicts))).catch((error) => safety.lastChild.replaceWith(h("p", { class: "empty" }, `They cannot be read: ${error.message}`)));
    box.replaceChildren(
      card(`Price, candles of ${f.duration(found.interval_s)}`, {}, found.candles.length ? chart.element : h("p", { class: "empty" }, "It has no trade in the record.")),
      card("Figures", {}, facts([
        ["State", t.is_alive ? "alive" : "quiet"], ["Graduated", t.is_graduated ? "yes" : "no"], ["Price", `${f.price(t.price_usd)} USD`], ["Volume", f.usd(t.volume_usd)],
        ["Liquidity", f.usd(t.liquidity_usd)], ["Trades", f.count(t.trades)], ["First event", t.first_seq ? f.moment(t.first_ts) : "–"], ["Last event", t.last_seq ? f.moment(t.last_ts) : "–"]]),
      h("p", { class: "explorers" }, EXPLORERS.map(([name, to]) => link(to(encodeURIComponent(mint)), name, { rel: "noreferrer noopener", target: "_blank" })))),
      safety,
      card("Our trades in it", {}, table(tradeColumns(["Token"]), [...found.trades].reverse(), "We have not traded it.")));
  }).catch((error) => box.replaceChildren(h("p", { class: "empty-box" }, error.message)));
  return { close: () => charts.forEach((chart) => chart.close()) };
}
