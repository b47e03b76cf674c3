// Trades, positions and refusals: filtered on the server, and as files.
import { get, list } from "../api.js";
import { badge, card, failed, h, input, link, select, table } from "../dom.js";
import * as f from "../format.js";
import { throttle } from "../throttle.js";
import { VirtualTable } from "../virtual_table.js";
import { periods } from "./periods.js";
import { liveMark, positionColumns, saveButtons, strategyLink, tokenLink, tradeColumns, when } from "./parts.js";

const REFRESH_MS = 3_000;
const TABS = [["", "Trades"], ["positions", "Positions"], ["refusals", "Refusals"], ["periods", "Periods"]];
const ACCOUNTS = [["", "all"], ["paper", "paper"], ["live", "live"]];
const SIDES = [["", "all"], ["buy", "buy"], ["sell", "sell"], ["short", "short"], ["cover", "cover"]];
const STATUSES = [["", "all"], ["PAPER", "paper"], ["LIVE", "live"], ["FAILED", "failed"]];

const refusalColumns = [
  { name: "Time, UTC", cell: (r) => when(r.ts), class: "time" },
  { name: "Token", cell: (r) => h("span", {}, tokenLink(r.mint), liveMark(r)) },
  { name: "Side", cell: (r) => r.side, class: "p2" },
  { name: "Reason", cell: (r) => badge(f.words(r.reason)) },
  { name: "Detail", cell: (r) => h("span", { title: r.detail }, r.detail), class: "p2 cut" },
  { name: "Strategy", cell: (r) => strategyLink(r.spec_id), class: "p3" },
  { name: "Account", cell: (r) => badge(r.account, r.account), class: "p2" },
];

export function trades(root, { path, query, go }) {
  const tab = path[1] ?? "";
  const tabs = h("nav", { class: "tabs", "aria-label": "Records" }, TABS.map(([name, text]) => link(name ? `#/trades/${name}` : "#/trades", text, { "aria-current": name === tab ? "page" : null })));
  root.append(h("h1", {}, "Trades"), tabs);
  if (tab === "positions") return positions(root);
  if (tab === "periods") return periods(root);
  const isTrades = tab !== "refusals";
  const name = isTrades ? "trades" : "refusals";
  const parameters = () => ({ account: query.account, side: query.side, status: isTrades ? query.status : "", mint: query.mint, spec_id: query.spec_id, reason: query.reason });
  const rows = new VirtualTable({
    label: isTrades ? "Trades" : "Refusals", nouns: isTrades ? ["trade", "trades"] : ["refusal", "refusals"],
    empty: () => (Object.values(parameters()).some(Boolean) ? `No ${name} match these filters.` : `No ${name} yet.`),
    columns: isTrades ? tradeColumns() : refusalColumns,
    load: (offset, limit) => list(name, { ...parameters(), offset, limit }),
  });
  const set = (field) => (value) => {
    query[field] = value;
    history.replaceState(null, "", go(`trades${isTrades ? "" : "/refusals"}`, query));
    rows.scroller.scrollTop = 0;
    rows.refresh();
  };
  const filters = h("form", { class: "filters", submit: (event) => event.preventDefault() },
    select("Account", ACCOUNTS, query.account ?? "", set("account")), select("Side", SIDES, query.side ?? "", set("side")),
    isTrades ? select("Status", STATUSES, query.status ?? "", set("status")) : null,
    input("Token", query.mint ?? "", set("mint"), { placeholder: "address" }), input("Strategy", query.spec_id ?? "", set("spec_id"), { placeholder: "id" }),
    input("Reason", query.reason ?? "", set("reason")),
    saveButtons(name, parameters, name));
  root.append(card(isTrades ? "Fills and failed orders" : "Decisions that the risk gate refused", {}, filters, rows.element));
  rows.refresh();
  const reload = throttle(REFRESH_MS, () => rows.refresh());
  let shown = "";
  return {
    update({ report }) {
      const counts = [report, report.live].filter(Boolean).map((of) => [of.orders, of.fills, of.failed_orders, of.refusals]);
      const key = counts.join(" ");
      if (shown && shown !== key && rows.scroller.scrollTop === 0) reload();
      shown = key;
    },
  };
}

function positions(root) {
  const box = h("div");
  root.append(card("Positions, the open ones first", {}, box));
  let shown = "";
  const load = throttle(REFRESH_MS, () => get("positions", { limit: 500 }).then((rows) => box.replaceChildren(table(positionColumns(), rows, "No positions yet."))).catch(failed(box)));
  return {
    update({ report }) {
      const key = `${report.fills} ${report.open_positions}`;
      if (shown !== key) load();
      shown = key;
    },
  };
}
