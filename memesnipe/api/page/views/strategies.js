// Strategies: a table of thousands, sorted and filtered on the server; some of them side by side.
import { get, list } from "../api.js";
import { card, failed, h, input, link, select } from "../dom.js";
import * as f from "../format.js";
import { throttle } from "../throttle.js";
import { VirtualTable } from "../virtual_table.js";
import { evidenceBar, families, meanReturn, modeBadge, needed, PNL, signed, strategyLink } from "./parts.js";

const REFRESH_MS = 5_000;
const MAX_COMPARED = 5;
const MODES = [["", "all"], ["live", "live"], ["paper", "paper"], ["simulating", "simulating"], ["retired", "retired"]];
const EVIDENCE = [["", "all"], ["proven", "proven"], ["growing", "growing"], ["against", "against it"], ["none", "no result"]];

export function strategies(root, { query, go }) {
  const chosen = new Set();
  const compare = h("button", { type: "button", class: "button", disabled: true, click: () => { location.hash = `#/compare/${[...chosen].join(",")}`; } }, "Compare");
  const mark = (id) => h("input", { type: "checkbox", checked: chosen.has(id), "aria-label": `Compare ${id}`, change: (event) => {
    if (event.target.checked && chosen.size >= MAX_COMPARED) event.target.checked = false;
    else if (event.target.checked) chosen.add(id);
    else chosen.delete(id);
    compare.disabled = chosen.size < 2;
    compare.textContent = chosen.size ? `Compare ${chosen.size}` : "Compare";
  } });
  const parameters = () => ({ mode: query.mode, family: query.family, evidence: query.evidence, search: query.search });
  const table = new VirtualTable({
    label: "Strategies", nouns: ["strategy", "strategies"], empty: () => (Object.values(parameters()).some(Boolean) ? "No strategy matches these filters." : "No strategy yet: Overview says what the search has tried."),
    sort: query.sort ?? "rank", order: query.order ?? "desc",
    columns: columns(mark),
    load: (offset, limit, sort, order) => list("strategies", { ...parameters(), offset, limit, sort, order }),
  });
  const set = (name) => (value) => {
    query[name] = value;
    history.replaceState(null, "", go("strategies", query));
    table.scroller.scrollTop = 0;
    table.refresh();
  };
  const familyBox = h("span");
  const filters = h("form", { class: "filters", submit: (event) => event.preventDefault() },
    select("Mode", MODES, query.mode ?? "", set("mode")), familyBox, select("Evidence", EVIDENCE, query.evidence ?? "", set("evidence")),
    input("Id begins with", query.search ?? "", set("search"), { type: "search", pattern: "[A-Za-z0-9_.:-]*" }), compare);
  get("families").then((found) => familyBox.replaceWith(select("Signal", [["", "all"], ...found.map((row) => [row.family, f.words(row.family)])], query.family ?? "", set("family")))).catch(failed(familyBox));
  root.append(h("h1", {}, "Strategies"), card("Why each holds capital, or none", {}, filters, table.element));
  table.refresh();
  const reload = throttle(REFRESH_MS, () => table.refresh());
  let shown = "";
  return {
    update({ report, learned }) {
      const key = `${report.allocations} ${learned.generations} ${report.fills}`;
      if (shown && shown !== key) reload();
      shown = key;
    },
  };
}

function columns(mark) {
  return [
    { name: "Strategy", cell: (s) => h("span", { class: "mark-and-id" }, mark(s.spec_id), strategyLink(s.spec_id)) },
    { name: "Mode", sort: "rank", cell: (s) => modeBadge(s.mode) },
    { name: "Signals", cell: (s) => families(s.genome), class: "p4 cut" },
    { name: "Capital", sort: "capital", cell: (s) => (s.allocation_usd ? f.usd(s.allocation_usd) : "–"), class: "n", title: "What it may use of paper or live money" },
    { name: "Evidence", sort: "evidence", cell: (s) => h("span", { title: s.why }, evidenceBar(s.evidence)), title: "What a bet on its fresh round trips would have become, and the threshold that ends its probation", class: "p2" },
    { name: "Needed", sort: "needed", cell: needed, class: "n p2", title: "Round trips until it is proven, at the expected return" },
    { name: "Expected", sort: "expected", cell: (s) => h("span", { title: `95 %: ${f.interval(s.expected_interval)}` }, signed(s.evidence?.expected_return, f.signedPercent)), class: "n p2", title: "Of the next round trip, net of all costs" },
    { name: "P&L, SOL", sort: "pnl", cell: PNL, class: "n p3", title: "Realised and unrealised, on paper; behind the stroke with real money" },
    { name: "Simulated return", sort: "return", cell: (s) => signed(s.result?.total_return, f.signedPercent), class: "n p3", title: "Of its account in the simulation, which has its own capital, since it was added" },
    { name: "Simulated drawdown", sort: "drawdown", cell: (s) => f.ratio(s.result?.max_drawdown), class: "n p3", title: "The greatest of its simulated account" },
    { name: "Simulated round trips", sort: "trades", cell: (s) => f.count(s.result?.trades), class: "n p3", title: "Positions that it opened and closed in the simulation" },
    { name: "Parity", sort: "parity", cell: (s) => f.bps(s.parity_bps), class: "n p4", title: "Mean difference of its fills from the simulated ones" },
    { name: "Generation", sort: "generation", cell: (s) => f.count(s.generation), class: "n p4" },
  ];
}

const FIGURES = [
  ["Mode", (s) => modeBadge(s.mode)],
  ["Signals", (s) => families(s.genome)],
  ["Why", (s) => s.why],
  ["Capital", (s) => f.usd(s.allocation_usd)],
  ["Evidence", (s) => evidenceBar(s.evidence)],
  ["Round trips needed", needed],
  ["Expected of a round trip", (s) => f.signedPercent(s.evidence?.expected_return)],
  ["with 95 %", (s) => f.interval(s.expected_interval)],
  ["Fresh round trips", (s) => f.count(s.evidence?.round_trips)],
  ["Their mean", meanReturn],
  ["P&L on paper, SOL", (s) => signed(s.paper_pnl_sol, f.signedSol)],
  ["Simulated return", (s) => signed(s.result?.total_return, f.signedPercent)],
  ["Simulated drawdown", (s) => f.ratio(s.result?.max_drawdown)],
  ["Simulated Sharpe", (s) => (s.result ? f.yearly(s.result.sharpe, s.result.observed_s) : "–")],
  ["Simulated round trips", (s) => f.count(s.result?.trades)],
  ["Simulated win rate", (s) => f.of(s.result?.trades, f.ratio, s.result?.win_rate)],
  ["Simulated profit factor", (s) => f.of(s.result?.trades, f.two, s.result?.profit_factor)],
  ["Simulated holding time, mean", (s) => f.of(s.result?.trades, f.duration, s.result?.mean_hold_s)],
  ["Deflated Sharpe", (s) => f.two(s.deflated_sharpe)],
  ["Parity", (s) => f.bps(s.parity_bps)],
  ["Stop loss", (s) => f.ratio(s.genome.exits?.stop_loss)],
  ["Take profit", (s) => f.ratio(s.genome.exits?.take_profit)],
  ["Generation", (s) => f.count(s.generation)],
];

export function compare(root, { path }) {
  const ids = (path[1] ?? "").split(",").filter(Boolean).slice(0, MAX_COMPARED);
  const box = h("div");
  root.append(h("h1", {}, "Strategies side by side"), card("Figures", { action: link("#/strategies", "All strategies") }, box));
  list("strategies", { ids: ids.join(",") }).then(({ rows }) => {
    const ordered = ids.map((id) => rows.find((row) => row.spec_id === id)).filter(Boolean);
    const head = h("tr", {}, h("th", { scope: "col" }, "Figure"), ordered.map((s) => h("th", { scope: "col" }, strategyLink(s.spec_id))));
    const body = FIGURES.map(([name, cell]) => h("tr", {}, h("th", { scope: "row" }, name), ordered.map((s) => h("td", {}, cell(s)))));
    box.append(h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Comparison" }, h("table", { class: "compare" }, h("thead", {}, head), h("tbody", {}, body))));
  }).catch(failed(box));
  return {};
}
