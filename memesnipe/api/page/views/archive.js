// The archive of the search as a map: the best genome of each way of trading, by holding time and turnover.
import { h, link, select, table } from "../dom.js";
import * as f from "../format.js";
import { heatCell, scaleOf } from "../heat.js";
import { chips, modeBadge, strategyLink } from "./parts.js";

const LISTED = 20;

const between = (limits, i, write) => (i === 0 ? `under ${write(limits[0])}` : i === limits.length ? `${write(limits.at(-1))} or more` : `${write(limits[i - 1])} to ${write(limits[i])}`);

export class ArchiveMap {
  constructor() {
    this.family = "";
    this.cell = null; // {holding, turnover}, or none
    this.filters = h("form", { class: "filters", submit: (event) => event.preventDefault() });
    this.map = h("div");
    this.list = h("div");
    this.element = h("div", {}, h("p", { class: "muted" }, "Each cell has the best genomes that hold and trade so long and so often, one for each combination of signals. The number is the fitness of the best one; choose a cell to see all of it."), this.filters, this.map, this.list);
  }

  set(found) {
    this.found = found;
    const names = [...new Set(found.elites.flatMap((elite) => elite.families))].sort();
    this.filters.replaceChildren(select("Signal", [["", "all"], ...names.map((name) => [name, f.words(name)])], this.family, (value) => { this.family = value; this.draw(); }));
    this.draw();
  }

  draw() {
    const { elites, holding_s: holding, turnover } = this.found;
    if (!elites.length) return void this.map.replaceChildren(h("p", { class: "empty" }, "The archive is empty: no genome has traded yet."));
    const own = elites.filter((elite) => !this.family || elite.families.includes(this.family));
    const at = (row, column) => own.filter((elite) => elite.holding === row && elite.turnover === column);
    const scale = scaleOf(own.map((elite) => elite.fitness));
    const columns = [...turnover.keys(), turnover.length];
    const head = h("tr", {}, h("th", { scope: "col" }, "Held, on average"), columns.map((i) => h("th", { scope: "col" }, between(turnover, i, f.one))));
    const rows = [...holding.keys(), holding.length].map((row) => h("tr", {},
      h("th", { scope: "row" }, between(holding, row, f.duration)),
      columns.map((column) => this.square(at(row, column), scale, row, column))));
    this.map.replaceChildren(h("table", { class: "map" }, h("caption", { class: "muted" }, "Across: turnovers of the capital per hour"), h("thead", {}, head), h("tbody", {}, rows)));
    const shown = this.cell ? at(this.cell.holding, this.cell.turnover) : own;
    this.list.replaceChildren(h("h3", {}, this.title(shown.length)), table([
      { name: "Genome", cell: (e) => (e.mode ? strategyLink(e.spec_id) : h("span", { class: "id" }, e.spec_id)) },
      { name: "Fitness", cell: (e) => f.two(e.fitness), class: "n" },
      { name: "Signals", cell: (e) => chips(e.families), class: "p2" },
      { name: "Generation", cell: (e) => f.count(e.generation), class: "n p2" },
      { name: "Strategy", cell: (e) => (e.mode ? modeBadge(e.mode) : "not proposed"), class: "p2" },
      { name: "Lineage", cell: (e) => link(`#/evolution/${encodeURIComponent(e.spec_id)}`, "ancestors", { "aria-label": `Ancestors of ${e.spec_id}` }) },
    ], shown.slice(0, LISTED), "No genome here."));
  }

  square(elites, scale, row, column) {
    if (!elites.length) return heatCell(0, scale, { class: "none" }, "–");
    const best = elites[0].fitness;
    const { holding_s: holding, turnover } = this.found;
    const label = `${f.brief(best)}: best of ${f.plural(elites.length, "genome")}, held ${between(holding, row, f.duration)}, turnover ${between(turnover, column, f.one)}`;
    const isChosen = this.cell?.holding === row && this.cell?.turnover === column;
    return heatCell(best, scale, {}, h("button", {
      type: "button", title: label, "aria-label": label, "aria-pressed": String(isChosen),
      click: () => { this.cell = isChosen ? null : { holding: row, turnover: column }; this.draw(); this.map.querySelector('[aria-pressed="true"]')?.focus(); },
    }, f.brief(best)));
  }

  title(count) {
    const which = this.cell ? `in the cell: held ${between(this.found.holding_s, this.cell.holding, f.duration)}, turnover ${between(this.found.turnover, this.cell.turnover, f.one)}` : "of all cells";
    return count > LISTED ? `The ${LISTED} best of ${f.plural(count, "genome")} ${which}` : `${f.plural(count, "genome")} ${which}`;
  }
}
