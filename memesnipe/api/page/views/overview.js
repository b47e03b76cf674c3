// Overview: what was learned, then money and risk of each account, why strategies hold capital, and the latest trades.
import { actionButton } from "../actions.js";
import { get, list } from "../api.js";
import { Chart } from "../charts.js";
import { badge, card, failed, h, link, show, sign, table } from "../dom.js";
import * as f from "../format.js";
import { throttle } from "../throttle.js";
import { evidenceBar, families, modeBadge, needed, positionColumns, RULES, saveButtons, stateKind, strategyLink, tradeColumns } from "./parts.js";

const THROUGHPUT_MS = 15_000;
const toCents = (usd) => Math.round(usd * 100) / 100; // less is what is lost in the difference of two floats
const REFRESH_MS = 3_000; // of what is fetched: a replay at full speed changes it many times a second

class Account {
  constructor(name) {
    this.name = name;
    this.figure = h("p", { class: "figure", id: `equity-${name}` });
    this.change = h("p", { class: "change" });
    this.parts = h("p", { class: "muted" });
    this.today = h("p", { class: "change" });
    this.detail = h("p", { class: "muted" });
    this.level = h("p", { class: "level", role: "status", id: `level-${name}` });
    this.rule = h("p", { class: "muted" });
    this.curve = h("div", { class: "curve" });
    this.charts = [];
    this.seq = -1;
    this.reload = throttle(REFRESH_MS, () => this.load().catch(failed(this.curve)));
    const actions = h("div", { class: "buttons" }, actionButton("halt"), actionButton("reset"));
    this.element = card(name === "live" ? "Live money" : "Paper money", { class: "hero" }, h("div", { class: "hero-grid" },
      h("div", {}, this.figure, this.change, this.parts, this.today, this.detail,
        h("div", { class: "breaker" }, h("h3", {}, "Circuit breaker"), this.level, this.rule, actions)),
      this.curve));
  }

  update({ portfolio, risk, today_usd: today, initial_usd: initial }) {
    const known = portfolio.equity_usd !== null;
    show(this.figure, known ? f.usd(portfolio.equity_usd) : "–");
    show(this.change, known ? `${f.signedUsd(portfolio.change_usd)} (${f.signedPercent(portfolio.change_ratio)}) since the start` : "Waiting for the first price of SOL");
    this.change.className = `change ${sign(portfolio.change_usd, f.signedUsd(portfolio.change_usd))}`;
    show(this.parts, known ? `Of it ${f.signedUsd(portfolio.trading_usd)} by trading, ${f.signedUsd(toCents(portfolio.change_usd - portfolio.trading_usd))} by the price of SOL` : "\u00a0");
    show(this.today, known ? `${f.signedUsd(today)} today (UTC)` : "\u00a0");
    this.today.className = `change ${sign(today, f.signedUsd(today))}`;
    show(this.detail, known ? `Began with ${f.usd(initial)}; cash ${f.usd(portfolio.cash_usd)}; realised ${f.signedSol(portfolio.realised_sol)} SOL, unrealised ${f.signedSol(portfolio.unrealised_sol)} SOL` : "\u00a0");
    const level = risk.halted ? "halted" : risk.level;
    show(this.level, level);
    this.level.className = `level ${level}`;
    show(this.rule, `${RULES[level] ?? ""}. Drawdown ${f.percent(risk.drawdown)}, maximum ${f.percent(risk.max_drawdown)}.`);
    this.element.classList.toggle("alarm", ["critical", "emergency", "halted"].includes(level));
    if (portfolio.seq !== null && portfolio.seq !== this.seq) {
      this.seq = portfolio.seq;
      this.reload();
    }
  }

  async load() {
    const { points, initial_usd: cash } = await get("equity", { account: this.name, points: 600 });
    if (points.length < 2) return void this.curve.replaceChildren(h("p", { class: "empty" }, "No curve yet: equity is recorded at each rebalance, and the curve needs two points."));
    const x = points.map((point) => point.ts / 1e9);
    const equity = [points.map((p) => p.equity_usd), points.map(() => cash), points.map((p) => p.sol_usd)];
    const drawdown = [points.map((p) => -p.drawdown)];
    if (this.charts.length) return this.charts.forEach((chart, i) => chart.set(x, ...[equity, drawdown][i]));
    const [first, last] = [points[0], points.at(-1)];
    this.charts = [
      new Chart({ title: `Equity from ${f.usd(first.equity_usd)} to ${f.usd(last.equity_usd)}, with the capital kept in cash and in SOL`, height: 250, x, format: f.compactUsd, series: [
        { name: "Equity", colour: "accent", values: equity[0], format: f.usd },
        { name: "Kept in cash", colour: "muted", values: equity[1], format: f.usd, dash: [2, 5] },
        { name: "Kept in SOL", colour: "amber", values: equity[2], format: f.usd, dash: [6, 4] }] }),
      new Chart({ title: "Drawdown", height: 110, x, format: f.ratio, zero: true, legend: false, series: [{ name: "Drawdown", colour: "bad", values: drawdown[0], fill: true }] }),
    ];
    this.curve.replaceChildren(this.charts[0].element, h("h3", {}, "Drawdown"), this.charts[1].element,
      h("div", { class: "buttons" }, saveButtons("equity", () => ({ account: this.name }), `equity-${this.name}`, "equity ")));
  }

  close() {
    this.charts.forEach((chart) => chart.close());
  }
}

export function overview(root) {
  const learned = h("p", { class: "learned", id: "learned" });
  const accounts = new Map();
  const money = h("div", { class: "stack" });
  const counts = h("div", { class: "counts" });
  const alarms = h("ul", { class: "alarms", id: "alarms" });
  const why = h("div", { class: "fill whole" });
  const positions = h("div", { class: "fill", id: "positions" });
  const trades = h("div", { class: "fill", id: "trades" });
  root.append(h("h1", { class: "hidden-title" }, "Overview"), learned, alarms, money, counts,
    card("Why they hold capital", { action: link("#/strategies", "All strategies") }, why),
    h("div", { class: "columns" }, card("Open positions", { action: link("#/trades/positions", "All") }, positions), card("Latest trades", { action: link("#/trades", "All") }, trades)));
  const seen = [];
  let holders = "";
  let paper = 0;

  function showWhy({ report, lifecycle }) {
    const key = `${report.allocations} ${report.fills} ${report.live?.fills} ${lifecycle[0]?.number}`;
    if (key === holders) return;
    holders = key;
    paper = report.strategies.paper;
    reloadWhy();
  }

  const reloadWhy = throttle(REFRESH_MS, () => {
    list("strategies", { sort: "capital", limit: 10 }).then(({ rows }) => {
      const holding = rows.filter((row) => row.allocation_usd > 0);
      why.replaceChildren(table(whyColumns(), holding, paper ? "No strategy holds capital at present: all of it is in cash." : "No strategy has been promoted yet: all capital is in cash."));
    }).catch(failed(why));
  });

  function update(state, before) {
    show(learned, state.report.run_id ? state.learned.in_words : "No run has started yet.");
    for (const account of state.accounts) {
      const name = account.portfolio.account;
      if (!accounts.has(name)) {
        accounts.set(name, new Account(name));
        money.append(accounts.get(name).element);
      }
      accounts.get(name).update(account);
    }
    seen.push([Date.now(), state.report.events.consumed]);
    while (seen.length > 2 && seen.at(-1)[0] - seen[0][0] > THROUGHPUT_MS) seen.shift();
    if (!before || before.report !== state.report || before.health !== state.health) showCounts(counts, state, seen);
    showAlarms(alarms, state);
    showWhy(state);
    if (!before || before.positions !== state.positions) positions.replaceChildren(table(positionColumns([state.report.live ? "Return" : "Account", "Opened, UTC", "Cost, SOL", "Realised"]), state.positions.filter((p) => p.open).slice(0, 12), "No open positions."));
    if (!before || before.trades !== state.trades) trades.replaceChildren(table(tradeColumns(["USD", "Fees, SOL", "Parity", "Strategy"]), state.trades.slice(0, 12), "No trades yet."));
  }
  return { update, close: () => accounts.forEach((account) => account.close()) };
}

function whyColumns() {
  return [
    { name: "Strategy", cell: (s) => strategyLink(s.spec_id) },
    { name: "Mode", cell: (s) => modeBadge(s.mode), class: "p2" },
    { name: "Signals", cell: (s) => families(s.genome), class: "p3" },
    { name: "Capital", cell: (s) => f.usd(s.allocation_usd), class: "n" },
    { name: "Evidence", cell: (s) => evidenceBar(s.evidence), title: "What a bet on its fresh round trips would have become, and the threshold that ends its probation" },
    { name: "Round trips needed", cell: needed, class: "n p2", title: "Round trips until it is proven, at the expected return" },
    { name: "Expected of a round trip", cell: (s) => h("span", { title: `95 %: ${f.interval(s.expected_interval)}` }, f.signedPercent(s.evidence?.expected_return)), class: "n p2" },
    { name: "In words", cell: (s) => s.why, class: "why p4" },
  ];
}

function showCounts(box, { report, health }, seen) {
  const [[since, from], [now, to]] = [seen[0], seen.at(-1)];
  const rate = now > since ? ((to - from) / (now - since)) * 1000 : 0;
  const { events, strategies } = report;
  const item = (name, value, detail, kind = "") => h("div", { class: `card count ${kind}` }, h("h2", {}, name), h("p", { class: "big" }, value), h("p", { class: "muted" }, detail));
  const lag = events.published - events.consumed;
  const accounts = report.live ? [["Round trips on paper", report], ["Round trips live", report.live]] : [["Round trips", report]];
  box.replaceChildren(
    item("Events", f.count(events.consumed), `${f.count(rate)} per second; ${f.count(lag)} behind; ${f.count(events.rejected)} rejected`),
    item("Search", f.count(report.generations), `generations, ${f.plural(report.evaluations, "evaluation")}`),
    item("Strategies", f.count(strategies.paper + strategies.live), `with a desk; ${f.count(strategies.simulating)} simulating, ${f.count(strategies.retired)} retired`),
    ...accounts.map(([name, of]) => item(name, f.count(of.trades), `${f.plural(of.fills, "fill")} of ${f.plural(of.orders, "order")}; ${f.count(of.failed_orders)} failed, ${f.count(of.refusals)} refused`)));
}

// What needs attention: parts that are not well, and a breaker that is not normal.
function showAlarms(box, { health, accounts }) {
  const bad = Object.entries(health.parts).filter(([, part]) => stateKind(part.state) !== "good").map(([name, part]) => [stateKind(part.state), `${f.words(name)} is ${part.state}${part.detail ? `: ${part.detail}` : ""}`]);
  for (const { risk } of accounts) {
    if (risk.halted || risk.level !== "normal") bad.push([risk.level === "warning" ? "warning" : "bad", `${risk.account}: ${risk.halted ? "halted" : risk.level}, ${RULES[risk.halted ? "halted" : risk.level]}`]);
  }
  const key = JSON.stringify(bad);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...bad.map(([kind, text]) => h("li", { class: kind }, badge(kind === "bad" ? "alarm" : "notice", kind === "bad" ? "emergency" : "warning"), " ", text)));
}
