// Profit by day, week and month: a calendar of days and tables, for each account apart.
import { get } from "../api.js";
import { card, failed, h, select, table } from "../dom.js";
import * as f from "../format.js";
import { heatCell, scaleOf } from "../heat.js";
import { throttle } from "../throttle.js";
import { signed } from "./parts.js";

const REFRESH_MS = 10_000;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const SHOWN_WEEKS = 53;
const DAY_MS = 86_400_000;
const LENGTHS = [["days", "day"], ["weeks", "week"], ["months", "month"]];
const NAMES = { days: "Day", weeks: "Week from", months: "Month" };

const iso = (ms) => new Date(ms).toISOString().slice(0, 10);

class AccountPeriods {
  constructor(name) {
    this.name = name;
    this.length = "months";
    this.calendar = h("div", { class: "fill" });
    this.rows = h("div");
    const choose = select("By", LENGTHS, this.length, (value) => { this.length = value; this.drawRows(); });
    this.element = card(name === "live" ? "Live money" : "Paper money", { id: `periods-${name}` }, h("div", { class: "columns even" },
      h("div", {}, h("h3", {}, "Profit of each day, USD"), this.calendar), h("div", {}, h("form", { class: "filters" }, choose), this.rows)));
    this.reload = throttle(REFRESH_MS, () => this.load().catch(failed(this.calendar)));
  }

  async load() {
    this.found = await get("periods", { account: this.name });
    this.drawCalendar();
    this.drawRows();
  }

  drawCalendar() {
    const { days, weeks } = this.found;
    if (!days.length) return void this.calendar.replaceChildren(h("p", { class: "empty" }, "No day yet: equity is recorded at each rebalance."));
    const byStart = new Map(days.map((day) => [day.start, day]));
    const [dayScale, weekScale] = [days, weeks].map((rows) => scaleOf(rows.map((row) => row.profit_usd)));
    const cell = (period, scale) => (period ? heatCell(period.profit_usd, scale, { title: describe(period) }, f.shortUsd(period.profit_usd)) : h("td", { class: "none" }));
    const body = weeks.slice(-SHOWN_WEEKS).reverse().map((week) => h("tr", {},
      h("th", { scope: "row" }, week.start),
      WEEKDAYS.map((_, i) => cell(byStart.get(iso(Date.parse(week.start) + i * DAY_MS)), dayScale)), cell(week, weekScale)));
    this.calendar.replaceChildren(h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": `Calendar of ${this.name} profit` },
      h("table", { class: "map calendar" }, h("thead", {}, h("tr", {}, ["Week from", ...WEEKDAYS, "Week"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, body))));
  }

  drawRows() {
    this.rows.replaceChildren(table([
      { name: NAMES[this.length], cell: (p) => (this.length === "months" ? p.start.slice(0, 7) : p.start) },
      { name: "Profit", cell: (p) => signed(p.profit_usd, f.signedUsd), class: "n" },
      { name: "of equity", cell: (p) => signed(p.profit_ratio, f.signedPercent), class: "n" },
      { name: "Round trips", cell: (p) => f.count(p.round_trips), class: "n" },
      { name: "Fees, SOL", cell: (p) => f.sol(p.fees_sol), class: "n p2" },
      { name: "Equity at the end", cell: (p) => f.usd(p.equity_usd), class: "n p2" },
    ], [...this.found[this.length]].reverse(), "No period yet."));
  }
}

const describe = (p) => `${p.start}: ${f.signedUsd(p.profit_usd)} (${f.signedPercent(p.profit_ratio)}), ${f.plural(p.round_trips, "round trip")}`;

export function periods(root) {
  const accounts = new Map();
  const box = h("div", { class: "stack" });
  root.append(box);
  return {
    update(state) {
      for (const { portfolio } of state.accounts) {
        if (!accounts.has(portfolio.account)) {
          accounts.set(portfolio.account, new AccountPeriods(portfolio.account));
          box.append(accounts.get(portfolio.account).element);
        }
        const shown = accounts.get(portfolio.account);
        if (shown.seq !== portfolio.seq) shown.reload();
        shown.seq = portfolio.seq;
      }
    },
  };
}
