// Parts that several views show: evidence, genomes, trades, the breaker's level.
import { actionButton } from "../actions.js";
import { save } from "../api.js";
import { h, badge, link, sign, svg } from "../dom.js";
import * as f from "../format.js";

export const strategyLink = (id) => link(`#/strategies/${encodeURIComponent(id)}`, id, { class: "id" });
export const tokenLink = (mint) => link(`#/market/${encodeURIComponent(mint)}`, f.shortMint(mint), { class: "mint", title: mint });
export const modeBadge = (mode) => badge(mode, mode);

// Evidence against the threshold that ends probation, on a logarithmic scale.
export function evidenceBar(evidence) {
  if (!evidence) return h("span", { class: "muted" }, "no result");
  const share = Math.log(Math.max(evidence.e_value, 1)) / Math.log(Math.max(evidence.threshold, 2));
  const text = evidence.is_proven ? "proven" : `${f.short(evidence.e_value)} of ${f.short(evidence.threshold)}`;
  return h("span", { class: "evidence" },
    svg("svg", { viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "track", width: 100, height: 6 }),
      svg("rect", { class: evidence.is_proven ? "fill proven" : "fill", width: Math.min(Math.max(share, 0), 1) * 100, height: 6 })),
    h("span", {}, text));
}

// Round trips until a strategy is proven; one that a person has promoted need not be.
export function needed({ evidence, is_by_hand: isByHand }) {
  if (isByHand) return "by hand";
  if (!evidence || evidence.is_proven) return "–";
  return evidence.trades_needed === null ? "never" : f.count(evidence.trades_needed);
}

// Buttons that save rows as files; `path` is that of the API without the ending.
export const saveButtons = (path, parameters, name, what = "") => ["csv", "parquet"].map((ending) => h("button", {
  type: "button", class: "button", click: () => save(`${path}.${ending}`, parameters(), `${name}.${ending}`),
}, `Save ${what}as ${ending === "csv" ? "CSV" : "Parquet"}`));

export function families(genome) {
  return h("span", { class: "genes" }, (genome.signals ?? []).map((gene) => h("span", { class: "gene", title: `weight ${f.two(gene.weight)}` }, f.words(gene.family))));
}

export const chips = (names) => h("span", { class: "genes" }, names.map((name) => h("span", { class: "gene" }, f.words(name))));

export function signed(value, write) {
  const text = write(value);
  return h("span", { class: sign(value, text) }, text);
}

export const meanReturn = (s) => (s.evidence?.round_trips ? signed(s.evidence.mean_return, f.signedPercent) : "–");
export const PNL = (row) => (row.live_pnl_sol === null ? signed(row.paper_pnl_sol, f.signedSol) : h("span", {}, signed(row.paper_pnl_sol, f.signedSol), " / ", signed(row.live_pnl_sol, f.signedSol)));

// A time of which a narrow page leaves out the day.
export const when = (ts) => h("span", { title: f.moment(ts) }, h("span", { class: "p2" }, `${f.day(ts)} `), f.clock(ts));

// Whose money it is where a narrow page has no column for it: live is named, the rest is paper.
export const liveMark = (row) => (row.account === "live" ? h("span", { class: "narrow" }, badge("live", "live")) : "");

// The columns of trades; `without` are names to leave out.
export function tradeColumns(without = []) {
  return [
    { name: "Time, UTC", cell: (t) => when(t.ts), class: "time" },
    { name: "Token", cell: (t) => tokenLink(t.mint) },
    { name: "Side", cell: (t) => h("span", {}, t.side, liveMark(t)) },
    { name: "SOL", cell: (t) => (t.failure ? "–" : f.sol(t.sol_amount)), class: "n" },
    { name: "Status", cell: (t) => (t.status === "FAILED" ? badge(`${t.account} failed`, "failed") : badge(t.account, t.account)), class: "p2" },
    { name: "Reason", cell: (t) => t.why, class: "reason", title: "Why, or why it failed" },
    { name: "Strategy", cell: (t) => strategyLink(t.spec_id), class: "p2" },
    { name: "USD", cell: (t) => (t.failure ? "–" : f.usd(t.value_usd)), class: "n p3" },
    { name: "Fees, SOL", cell: (t) => f.sol(t.fees_sol), class: "n p3" },
    { name: "Parity", cell: (t) => f.bps(t.parity_bps), class: "n p3", title: "How much worse its price is than the simulated fill's" },
  ].filter((column) => !without.includes(column.name));
}

export function positionColumns(without = []) {
  return [
    { name: "Token", cell: (p) => h("span", {}, tokenLink(p.mint), liveMark(p)) },
    { name: "Strategy", cell: (p) => strategyLink(p.spec_id), class: "p2" },
    { name: "Account", cell: (p) => badge(p.account, p.account), class: "p2" },
    { name: "Opened, UTC", cell: (p) => `${f.day(p.opened_ts)} ${f.clock(p.opened_ts)}`, class: "time p3" },
    { name: "Cost, SOL", cell: (p) => f.sol(p.cost_sol), class: "n p2" },
    { name: "Value, SOL", cell: (p) => h("span", { title: f.usd(p.value_usd) }, f.sol(p.value_sol)), class: "n" },
    { name: "Unrealised", cell: (p) => (p.open ? signed(p.unrealised_sol, f.signedSol) : "closed"), class: "n" },
    { name: "Return", cell: (p) => (p.open ? signed(p.unrealised_return, f.signedPercent) : ""), class: "n p2" },
    { name: "Realised", cell: (p) => signed(p.realised_sol, f.signedSol), class: "n p2" },
    { name: "Action", cell: (p) => (p.open ? actionButton("close", p, { small: true, label: `Close ${f.shortMint(p.mint)} of ${p.spec_id}` }) : ""), class: "n" },
  ].filter((column) => !without.includes(column.name));
}

export const RULES = {
  normal: "new positions at full size",
  warning: "new positions at half size",
  critical: "positions are only closed; without open positions it lasts until the reset",
  emergency: "all trading is halted until a manual reset",
  halted: "halted by hand, until it is resumed",
};

const GOOD = new Set(["up", "healthy", "running", "quiet", "breeding", "finished"]);
const BUSY = new Set(["starting", "recovering", "stalled", "waiting", "rejected"]);
export const stateKind = (state) => (GOOD.has(state) ? "good" : BUSY.has(state) ? "warning" : "bad");
