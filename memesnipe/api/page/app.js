// The dashboard: shows each state of the api/events stream. Text from data is only set as textContent.
import { Chart } from "./chart.js";
import * as f from "./format.js";

const byId = (id) => document.getElementById(id);
const chart = new Chart(byId("curve"));

function show(target, text) {
  const element = typeof target === "string" ? byId(target) : target;
  if (element.textContent !== text) element.textContent = text; // a screen reader does not repeat an unchanged text
}

function make(tag, { text = "", title = "", kind = "", children = [] } = {}) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (title) element.title = title;
  if (kind) element.className = kind;
  element.append(...children);
  return element;
}

const sign = (value) => (value > 0 ? "up" : value < 0 ? "down" : "");
const badge = (text, kind) => make("span", { text, kind: `badge ${kind}` });

function fill(id, rows, empty) {
  const section = byId(id);
  section.querySelector("tbody").replaceChildren(...rows);
  section.querySelector("table").hidden = rows.length === 0;
  show(section.querySelector(".empty"), rows.length ? "" : empty);
}

function showEquity({ portfolio, equity_curve: curve }) {
  const known = portfolio.equity_usd !== null;
  show("equity", known ? f.usd(portfolio.equity_usd) : "–");
  show("change", known ? `${f.signedUsd(portfolio.change_usd)} (${f.signedPercent(portfolio.change_ratio)})` : "Waiting for the first SOL price");
  byId("change").className = `change ${known ? sign(portfolio.change_usd) : "muted"}`;
  show("equity-detail", known ? `since the start; cash ${f.usd(portfolio.cash_usd)}` : "\u00a0");
  const { realised_sol: realised, unrealised_sol: unrealised } = portfolio;
  show("profit", known ? `realised ${f.signedSol(realised)}, unrealised ${f.signedSol(unrealised)}` : "\u00a0");
  chart.show(curve);
}

const RULES = {
  normal: "full size",
  warning: "new positions at half size",
  critical: "positions are only closed; without open positions it lasts until `memesnipe risk reset`",
  emergency: "all trading halted until a manual reset",
};

function showRisk({ risk }) {
  show("risk-level", risk.halted ? "halted" : risk.level);
  byId("risk-level").className = `badge ${risk.halted ? "emergency" : risk.level}`;
  show("risk-rule", risk.halted ? "manually, until `memesnipe risk reset`" : RULES[risk.level] ?? "");
  // The bar covers 0 to 20 % with 200 units.
  byId("drawdown-fill").setAttribute("width", Math.min(risk.drawdown / 0.2, 1) * 200);
  byId("drawdown-fill").setAttribute("class", `fill ${risk.level}`);
  byId("drawdown-bar").setAttribute("aria-label", `Drawdown ${f.percent(risk.drawdown)}`);
  show("drawdown", `Drawdown ${f.percent(risk.drawdown)}, maximum ${f.percent(risk.max_drawdown)}`);
  const refused = Object.entries(risk.refusals).map(([reason, count]) => `${f.count(count)} ${f.words(reason)}`);
  show("refused", refused.length ? `Refused: ${refused.join(", ")}` : "\u00a0");
}

function showLearned({ learned, report }) {
  show("learned", report.run_id ? learned.in_words : "\u00a0");
}

function showCounts({ report }) {
  const { events, strategies } = report;
  show("run", report.run_id ? `${report.feed}, run ${report.run_id}, ${report.status}` : "No run yet");
  show("events-consumed", f.count(events.consumed));
  show("events-detail", `${f.count(events.published)} published, ${f.count(events.rejected)} rejected, ${f.count(events.published - events.consumed)} behind`);
  show("generations", f.count(report.generations));
  show("evaluations", f.plural(report.evaluations, "evaluation"));
  show("paper", f.count(strategies.paper + strategies.live));
  show("modes", `${f.count(strategies.simulating)} simulating, ${f.count(strategies.retired)} retired`);
  show("fills", f.count(report.fills));
  show("orders", `of ${f.plural(report.orders, "order")}, ${f.count(report.failed_orders)} failed`);
}

function positionRow(position) {
  const profit = `${f.signedSol(position.unrealised_sol)} (${f.signedPercent(position.unrealised_return)})`;
  return make("tr", { children: [
    make("td", { text: f.shortMint(position.mint), title: position.mint, kind: "mint" }),
    make("td", { text: f.sol(position.cost_sol), kind: "n" }),
    make("td", { text: f.sol(position.value_sol), title: f.usd(position.value_usd), kind: "n" }),
    make("td", { text: profit, title: f.signedUsd(position.unrealised_usd), kind: `n ${sign(position.unrealised_sol)}` }),
  ] });
}

function tradeRow(trade) {
  const reason = f.words(trade.failure || trade.reason);
  return make("tr", { children: [
    make("td", { text: f.clock(trade.ts), title: f.moment(trade.ts), kind: "time" }),
    make("td", { text: f.shortMint(trade.mint), title: trade.mint, kind: "mint" }),
    make("td", { text: trade.side }),
    make("td", { text: trade.failure ? "–" : f.sol(trade.sol_amount), title: f.usd(trade.value_usd), kind: "n" }),
    make("td", { children: [badge(trade.status.toLowerCase(), trade.status.toLowerCase() === "failed" ? "failed" : "")] }),
    make("td", { text: reason, title: reason, kind: "reason" }),
  ] });
}

function signals(genome) {
  return genome.signals.map((gene) => make("span", {
    kind: "gene",
    title: Object.entries(gene.params).map(([name, value]) => `${name} ${Number(value).toPrecision(3)}`).join("\n"),
    children: [f.words(gene.family), " ", make("b", { text: f.two(gene.weight) })],
  }));
}

function exits({ exits: genes }) {
  return [
    `−${f.roundPercent(genes.stop_loss)}`,
    `+${f.roundPercent(genes.take_profit)}`,
    `${f.roundPercent(genes.trailing_stop)} below its peak`,
    f.duration(genes.max_hold_s),
  ].join(", ");
}

// Why a strategy has its capital: its evidence against the threshold that ends probation.
function evidenceCell(evidence) {
  if (!evidence) return make("td", { text: "–", kind: "n" });
  const left = evidence.trades_needed === null ? "" : `, about ${f.count(evidence.trades_needed)} more until its probation ends`;
  const title = `${f.plural(evidence.round_trips, "fresh round trip")}, ${f.signedPercent(evidence.expected_return)} expected of the next`;
  const text = evidence.is_proven ? `${f.short(evidence.e_value)}, proven` : `${f.short(evidence.e_value)} of ${f.short(evidence.threshold)}`;
  return make("td", { text, title: evidence.is_proven ? title : title + left, kind: "n" });
}

function strategyRow(strategy, lifecycle) {
  const { genome, result } = strategy;
  const reason = lifecycle.find((step) => step.spec_id === strategy.spec_id)?.reason ?? "";
  return make("tr", { children: [
    make("td", { title: reason, children: [badge(strategy.mode, strategy.mode)] }),
    make("td", { title: strategy.spec_id, children: signals(genome) }),
    make("td", { text: exits(genome), title: "Stop loss, take profit, trailing stop, maximum holding time", kind: "muted" }),
    make("td", { text: f.signedPercent(result?.total_return), kind: `n ${sign(result?.total_return)}` }),
    make("td", { text: f.two(result?.sharpe), kind: "n" }),
    make("td", { text: f.count(result?.trades), kind: "n" }),
    evidenceCell(strategy.evidence),
    make("td", { text: strategy.parity_fills ? `${f.count(Math.round(strategy.parity_bps))} bps` : "–", kind: "n" }),
    make("td", { text: strategy.allocation_usd ? f.usd(strategy.allocation_usd) : "–", kind: "n" }),
    make("td", { text: f.count(strategy.generation), kind: "n" }),
  ] });
}

function showTables({ report, positions, trades, strategies, lifecycle }) {
  const open = positions.filter((position) => position.open);
  show("positions-count", report.open_positions ? f.count(report.open_positions) : "");
  fill("positions", open.map(positionRow), "No open positions.");
  const waiting = report.strategies.paper
    ? "No trades yet: no strategy on paper has decided to buy."
    : "No trades yet: no strategy has been promoted to paper mode.";
  fill("trades", trades.map(tradeRow), waiting);
  fill("strategies", strategies.map((strategy) => strategyRow(strategy, lifecycle)), "No strategies yet: the first generation is bred when the tape has enough events.");
}

const STATUS_KINDS = { healthy: "good", degraded: "warning", unhealthy: "emergency" };
const GOOD_STATES = new Set(["up", "healthy", "running", "quiet", "breeding", "finished"]);
const BUSY_STATES = new Set(["starting", "recovering", "stalled"]);

function showHealth(health) {
  show("status", health.status);
  byId("status").className = `badge ${STATUS_KINDS[health.status] ?? ""}`;
  byId("status").title = health.detail;
  show("version", `MemeSnipe ${health.version}`);
  const parts = Object.entries(health.parts).map(([name, part]) => {
    const kind = GOOD_STATES.has(part.state) ? "good" : BUSY_STATES.has(part.state) ? "warning" : "bad";
    return make("li", { kind, title: part.detail, children: [
      make("span", { text: f.words(name), kind: "name" }),
      make("span", { text: part.detail ? `${part.state}: ${part.detail}` : part.state, kind: "muted" }),
    ] });
  });
  byId("health").replaceChildren(...parts);
}

function notice(text) {
  show("notice", text);
  byId("notice").hidden = !text;
  document.body.classList.toggle("stale", Boolean(text));
}

function onState(state) {
  notice("");
  showEquity(state);
  showRisk(state);
  showCounts(state);
  showLearned(state);
  showTables(state);
  showHealth(state.health);
}

function onTrouble({ error, health }) {
  notice(`${error}. The figures shown are old; the page keeps trying.`);
  if (health) showHealth(health);
}

let source = null;

function connect() {
  if (document.hidden || (source && source.readyState !== EventSource.CLOSED)) return;
  source = new EventSource("api/events");
  source.addEventListener("state", (event) => onState(JSON.parse(event.data)));
  source.addEventListener("trouble", (event) => onTrouble(JSON.parse(event.data)));
  source.addEventListener("error", onLost);
}

function onLost() {
  notice("The connection is lost. The figures shown are old; the page keeps trying.");
  show("status", "connection lost");
  byId("status").className = "badge emergency";
  // The browser reconnects by itself, except after a response that is not a stream.
  if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
}

// A hidden page closes its connection: a browser allows only six per server.
document.addEventListener("visibilitychange", () => (document.hidden ? source?.close() : connect()));
connect();
