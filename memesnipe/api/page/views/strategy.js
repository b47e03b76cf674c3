// One strategy: why it holds capital, its genome in words, its round trips on the price, their distribution, its life.
import { actionButton } from "../actions.js";
import { get, save } from "../api.js";
import { Candles } from "../candles.js";
import { Chart } from "../charts.js";
import { card, facts, h, link, table } from "../dom.js";
import * as f from "../format.js";
import { evidenceBar, families, meanReturn, modeBadge, needed, signed, tokenLink, when } from "./parts.js";

export function strategy(root, { path }) {
  const id = path[1];
  const charts = [];
  root.append(h("h1", {}, "Strategy ", h("span", { class: "id" }, id)));
  const box = h("div", { class: "stack" }, h("p", { class: "muted" }, "Loading …"));
  root.append(box);
  get(`strategies/${encodeURIComponent(id)}`)
    .then((found) => box.replaceChildren(...content(id, found, charts)))
    .catch((error) => box.replaceChildren(h("p", { class: "empty-box" }, error.message)));
  return { close: () => charts.forEach((chart) => chart.close()) };
}

function content(id, found, charts) {
  const { strategy: s } = found;
  const actions = h("div", { class: "buttons" }, actionButton("promote", id), actionButton("demote", id),
    h("button", { type: "button", class: "button", click: () => save(`strategies/${encodeURIComponent(id)}/spec`, {}, `${id}.json`) }, "Download the specification"),
    link(`#/evolution/${encodeURIComponent(id)}`, "Its ancestors"));
  return [
    card(s.allocation_usd > 0 ? "Why it holds capital" : "Why it holds no capital", { class: "why-card" },
      h("p", { class: "learned" }, modeBadge(s.mode), " ", s.why), h("p", {}, evidenceBar(s.evidence)), standing(s), actions),
    h("div", { class: "columns even" }, card("Its genome in words", {}, families(s.genome), words(found.in_words)), card("Its life", {}, life(found.lifecycle))),
    trips(found, charts),
    h("div", { class: "columns even" }, card("Simulated account", {}, simulated(s)), card("Backtest and reality", {}, expectation(s, found.backtest))),
  ];
}

const standing = (s) => facts([
  ["Capital", f.usd(s.allocation_usd)],
  ["Round trips needed", needed(s)],
  ["Fresh round trips", f.count(s.evidence?.round_trips)],
  ["Expected of a round trip", f.signedPercent(s.evidence?.expected_return)],
  ["with 95 %", f.interval(s.expected_interval)],
  ["P&L on paper, SOL", signed(s.paper_pnl_sol, f.signedSol)],
  ["P&L live, SOL", signed(s.live_pnl_sol, f.signedSol)],
  ["Drawdown, simulated", f.ratio(s.result?.max_drawdown)],
  ["Parity", s.parity_fills ? `${f.bps(s.parity_bps)} of ${f.plural(s.parity_fills, "fill")}` : "–"],
]);

const words = (sentences) => h("dl", { class: "words" }, Object.entries(sentences).flatMap(([name, text]) => [h("dt", {}, f.words(name)), h("dd", {}, text)]));

function life(steps) {
  if (!steps.length) return h("p", { class: "empty" }, "No change of its mode is recorded.");
  return h("ol", { class: "life" }, steps.map((step) => h("li", {}, h("p", {}, step.from_mode ? [modeBadge(step.from_mode), " → "] : [], modeBadge(step.to_mode), h("span", { class: "muted" }, ` after event ${f.count(step.seq)}`)), h("p", {}, step.reason))));
}

const simulated = (s) => (s.result ? facts([
  ["Return", signed(s.result.total_return, f.signedPercent)],
  ["Profit", f.signedUsd(s.result.total_pnl_usd)],
  ["Round trips", f.count(s.result.trades)],
  ["Win rate", f.of(s.result.trades, f.ratio, s.result.win_rate)],
  ["Profit factor", f.of(s.result.trades, f.two, s.result.profit_factor)],
  ["Expectancy", f.of(s.result.trades, f.signedUsd, s.result.expectancy_usd)],
  ["Sharpe", f.yearly(s.result.sharpe, s.result.observed_s)],
  ["Sortino", f.yearly(s.result.sortino, s.result.observed_s)],
  ["Calmar", f.yearly(s.result.calmar, s.result.observed_s)],
  ["Largest drawdown", f.ratio(s.result.max_drawdown)],
  ["Mean holding time", f.of(s.result.trades, f.duration, s.result.mean_hold_s)],
  ["Fees", f.usd(s.result.fees_usd)],
  ["Observed", f.duration(s.result.observed_s)],
  ["Failed orders", `${f.count(s.result.failed)} of ${f.count(s.result.orders)}`],
]) : h("p", { class: "empty" }, "It has no result yet."));

function expectation(s, backtest) {
  return facts([
    ["Bred in generation", f.count(s.generation)],
    ["Fitness in the backtest", f.two(backtest?.fitness)],
    ["Sharpe in training", f.two(backtest?.train_sharpe)],
    ["Sharpe in validation", f.two(backtest?.validation_sharpe)],
    ["Deflated Sharpe since", f.two(s.deflated_sharpe)],
    ["Expected of a round trip, 95 %", f.interval(s.expected_interval)],
    ["Mean of its fresh round trips", meanReturn(s)],
  ]);
}

function trips(found, charts) {
  const { round_trips: rows, round_trips_total: total, returns } = found;
  if (!rows.length) return card("Round trips", {}, h("p", { class: "empty" }, "It has closed no position on a desk yet; its simulated round trips are counted above."));
  const price = h("div");
  const pick = (mint) => get(`market/tokens/${encodeURIComponent(mint)}`).then((token) => {
    const own = token.trades.filter((trade) => trade.spec_id === found.strategy.spec_id);
    const chart = new Candles({ ...token, trades: own });
    charts.push(chart);
    price.replaceChildren(h("h3", {}, "Price of ", tokenLink(mint)), chart.element);
  }).catch((error) => price.replaceChildren(h("p", { class: "empty" }, `No price: ${error.message}`)));
  pick(rows[0].mint);
  return h("div", { class: "stack" },
    card("Round trips", {}, h("div", { class: "columns even" }, profit(rows, charts), distribution(returns, charts))),
    card(`Price and ${f.plural(total, "round trip")}`, {}, price, table([
      { name: "Closed, UTC", cell: (t) => when(t.closed_ts), class: "time" },
      { name: "Token", cell: (t) => h("button", { type: "button", class: "linklike mint", title: `Show the price of ${t.mint}`, click: () => pick(t.mint) }, f.shortMint(t.mint)) },
      { name: "Account", cell: (t) => t.account, class: "p3" },
      { name: "Held", cell: (t) => f.duration((t.closed_ts - t.opened_ts) / 1e9), class: "n p2" },
      { name: "Paid, SOL", cell: (t) => f.sol(t.paid_sol), class: "n p2" },
      { name: "Profit, SOL", cell: (t) => signed(t.profit_sol, f.signedSol), class: "n" },
      { name: "of it", cell: (t) => signed(t.profit_ratio, f.signedPercent), class: "n" },
      { name: "In because", cell: (t) => f.words(t.entry_reason), class: "p3" },
      { name: "Out because", cell: (t) => (t.note ? [f.words(t.exit_reason), h("span", { class: "trip-note" }, t.note)] : f.words(t.exit_reason)), class: "p2 wraps" },
    ], rows.slice(0, 200), "")));
}

// The sum of profits, of each account alone.
function profit(rows, charts) {
  const account = rows[0].account;
  const own = rows.filter((trip) => trip.account === account).reverse();
  let sum = 0;
  const sums = own.map((trip) => (sum += trip.profit_sol));
  const chart = new Chart({ title: `Sum of its profits on ${account}, ${f.signedSol(sum)} SOL`, height: 220, x: own.map((trip) => trip.closed_ts / 1e9), format: f.signedSol, zero: true, series: [{ name: `Sum of profits, SOL (${account})`, colour: "accent", values: sums, fill: true }] });
  charts.push(chart);
  return h("div", {}, h("h3", {}, `Sum of profits on ${account}, SOL`), chart.element);
}

function distribution(returns, charts) {
  const [account, bins] = Object.entries(returns).find(([, found]) => found.length) ?? ["paper", []];
  const middle = bins.map((bin) => (bin.from_ratio + bin.to_ratio) / 2);
  const chart = new Chart({ title: "Distribution of its returns", height: 220, isTime: false, xFormat: f.signedPercent, x: middle, format: f.count, zero: true, counts: true, series: [{ name: "Round trips", colour: "accent", values: bins.map((bin) => bin.count), bars: true }] });
  charts.push(chart);
  return h("div", {}, h("h3", {}, `Distribution of returns on ${account}`), chart.element);
}
