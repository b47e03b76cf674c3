// A table of thousands of rows: only those in view exist, and pages of rows are fetched as they come into view.
import { h, show } from "./dom.js";
import { count } from "./format.js";

const PAGE = 200;
const ROW_PX = 40;
const MARGIN = 8; // rows above and below the view

export class VirtualTable {
  // `columns` are {name, cell, class, sort, title}; `load(offset, limit, sort, order)` returns {rows, total};
  // `nouns` are the words for one row and for several; `empty()` says why there is none.
  constructor({ label, columns, load, sort = "", order = "desc", empty, nouns }) {
    Object.assign(this, { columns, load, sort, order, empty, nouns });
    this.pages = new Map();
    this.total = 0;
    this.version = 0;
    this.body = h("tbody");
    this.head = h("tr");
    this.status = h("p", { class: "muted table-status", role: "status" });
    this.scroller = h("div", { class: "scroll virtual", tabIndex: 0, role: "region", "aria-label": `${label}, table`, scroll: () => this.render() },
      h("table", {}, h("thead", {}, this.head), this.body));
    this.element = h("div", {}, this.scroller, this.status);
    this.drawHead();
    new ResizeObserver(() => this.render()).observe(this.scroller);
  }

  drawHead() {
    this.head.replaceChildren(...this.columns.map((column) => {
      const sorted = column.sort && column.sort === this.sort;
      const state = sorted ? (this.order === "desc" ? "descending" : "ascending") : null;
      const content = column.sort
        ? h("button", { type: "button", class: "sort", click: () => this.sortBy(column.sort) }, column.name, h("span", { "aria-hidden": "true" }, sorted ? (this.order === "desc" ? " ↓" : " ↑") : ""))
        : column.name;
      return h("th", { scope: "col", class: column.class ?? "", title: column.title ?? "", "aria-sort": state }, content);
    }));
  }

  sortBy(name) {
    this.order = this.sort === name && this.order === "desc" ? "asc" : "desc";
    this.sort = name;
    this.drawHead();
    this.scroller.scrollTop = 0;
    this.refresh();
  }

  // Fetch again what is in view; rows stay until the new ones have come.
  async refresh() {
    this.version += 1;
    this.pages.clear();
    const first = Math.floor(this.scroller.scrollTop / ROW_PX / PAGE);
    await this.fetch(first);
  }

  async fetch(number) {
    if (this.pages.has(number)) return;
    const version = this.version;
    this.pages.set(number, null);
    try {
      const { rows, total } = await this.load(number * PAGE, PAGE, this.sort, this.order);
      if (version !== this.version) return;
      this.pages.set(number, rows);
      this.total = total;
      show(this.status, total ? `${count(total)} ${this.nouns[total === 1 ? 0 : 1]}` : this.empty());
    } catch (error) {
      if (version !== this.version) return;
      this.pages.delete(number);
      show(this.status, `The rows cannot be read: ${error.message}`);
    }
    this.render();
  }

  render() {
    const top = Math.max(0, Math.floor(this.scroller.scrollTop / ROW_PX) - MARGIN);
    const bottom = Math.min(this.total, top + Math.ceil(this.scroller.clientHeight / ROW_PX) + 2 * MARGIN);
    const rows = [];
    for (let index = top; index < bottom; index += 1) {
      const page = Math.floor(index / PAGE);
      const row = this.pages.get(page)?.[index % PAGE];
      if (row === undefined) this.fetch(page);
      rows.push(row ? this.row(row) : h("tr", {}, h("td", { colSpan: this.columns.length, class: "muted" }, "…")));
    }
    this.body.replaceChildren(this.space(top), ...rows, this.space(this.total - bottom));
  }

  space(count) {
    const row = h("tr", { class: "space", "aria-hidden": "true" });
    row.style.height = `${Math.max(count, 0) * ROW_PX}px`;
    return row;
  }

  row(row) {
    return h("tr", {}, this.columns.map((column) => h("td", { class: column.class ?? "" }, column.cell(row))));
  }
}
