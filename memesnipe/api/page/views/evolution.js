// Evolution: the fitness of the generations, what they cost, and the families that hold capital.
import { get } from "../api.js";
import { Chart } from "../charts.js";
import { card, facts, failed, h, table } from "../dom.js";
import * as f from "../format.js";
import { throttle } from "../throttle.js";

const REFRESH_MS = 3_000;

export function evolution(root) {
  const summary = h("div");
  const chartBox = h("div");
  const familyBox = h("div");
  const rowsBox = h("div");
  root.append(h("h1", {}, "Evolution"), card("The search so far", {}, summary), card("Fitness of the generations", {}, chartBox), h("div", { class: "columns even" }, card("Families of signals", {}, familyBox), card("Generations, the newest first", {}, rowsBox)));
  const charts = [];
  let shown = -1;
  let latest = null;
  const again = throttle(REFRESH_MS, () => load(latest).catch(failed(summary)));
  const reload = (state) => {
    latest = state;
    again();
  };

  async function load(state) {
    const [generations, families] = await Promise.all([get("generations"), get("families")]);
    const seconds = generations.reduce((sum, row) => sum + row.seconds, 0);
    const evaluations = generations.reduce((sum, row) => sum + row.evaluations, 0);
    summary.replaceChildren(h("p", {}, state.learned.in_words), facts([
      ["Generations", f.count(generations.length)], ["Evaluations", f.count(evaluations)],
      ["Evaluations per second", seconds ? f.count(evaluations / seconds) : "–"], ["Computing time", f.duration(seconds)],
      ["Proposed, better than luck", f.count(state.learned.proposed)], ["Last reason for none", state.learned.last_reason || "–"]]));
    charts.splice(0).forEach((chart) => chart.close());
    if (generations.length > 1) {
      const chart = new Chart({ title: "Best and median fitness of each generation", height: 260, isTime: false, xFormat: f.count, x: generations.map((row) => row.index), format: f.two, series: [
        { name: "Best", colour: "accent", values: generations.map((row) => row.best_fitness) }, { name: "Median", colour: "amber", values: generations.map((row) => row.median_fitness), dash: [5, 4] }] });
      charts.push(chart);
      chartBox.replaceChildren(chart.element);
    } else chartBox.replaceChildren(h("p", { class: "empty" }, "The curve needs two generations."));
    familyBox.replaceChildren(table([
      { name: "Family", cell: (r) => h("a", { href: `#/strategies?family=${r.family}` }, f.words(r.family)) },
      { name: "Simulating", cell: (r) => f.count(r.simulating), class: "n p2" }, { name: "Paper", cell: (r) => f.count(r.paper), class: "n" },
      { name: "Live", cell: (r) => f.count(r.live), class: "n p2" }, { name: "Retired", cell: (r) => f.count(r.retired), class: "n p2" },
      { name: "Capital by weight", cell: (r) => f.usd(r.weighted_usd), class: "n" }], [...families].sort((a, b) => b.weighted_usd - a.weighted_usd), "No strategies yet."));
    rowsBox.replaceChildren(table([
      { name: "Gen.", cell: (r) => f.count(r.index), class: "n" }, { name: "Best", cell: (r) => f.two(r.best_fitness), class: "n" }, { name: "Median", cell: (r) => f.two(r.median_fitness), class: "n p2" },
      { name: "Evaluations", cell: (r) => f.count(r.evaluations), class: "n" }, { name: "Seconds", cell: (r) => f.one(r.seconds), class: "n p2" }, { name: "Proposed", cell: (r) => f.count(r.proposed), class: "n" }], [...generations].reverse().slice(0, 100), "No generation yet."));
  }
  return {
    update(state) {
      if (shown !== state.report.generations) reload(state);
      shown = state.report.generations;
    },
    close: () => charts.forEach((chart) => chart.close()),
  };
}
