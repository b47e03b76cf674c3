// Evolution: fitness and cost of the generations, the luck bar, the archive, the families, and the ancestors of a genome.
import { get } from "../api.js";
import { Chart } from "../charts.js";
import { card, facts, failed, h, table } from "../dom.js";
import * as f from "../format.js";
import { throttle } from "../throttle.js";
import { ArchiveMap } from "./archive.js";
import { showLineage } from "./lineage.js";

const REFRESH_MS = 3_000;
const HUES = 10; // of style.css

export function evolution(root, { path }) {
  const boxes = Object.fromEntries(["summary", "fitness", "luck", "chances", "shares", "families", "rows", "lineage"].map((name) => [name, h("div", { class: "fill" })]));
  const map = new ArchiveMap();
  const lineage = card("Lineage", { id: "lineage" }, boxes.lineage);
  root.append(...[h("h1", {}, "Evolution"), path[1] ? lineage : null, card("The search so far", { class: "why-card" }, boxes.summary),
    h("div", { class: "columns even" }, card("Fitness of the generations", {}, boxes.fitness), card("The luck bar: Sharpe ratio of the best genome, and of the luckiest", {}, boxes.luck)),
    h("div", { class: "columns even" }, card("Probability of skill, and of overfitting", {}, boxes.chances), card("Families that rise and fall", {}, boxes.shares)),
    card("The archive", { id: "archive" }, map.element), path[1] ? null : lineage,
    h("div", { class: "columns even" }, card("Families of signals", {}, boxes.families), card("Generations, the newest first", {}, boxes.rows))].filter(Boolean));
  const charts = [];
  let shown = -1;
  let champion = path[1] ?? "";
  if (champion) showLineage(boxes.lineage, champion);
  const again = throttle(REFRESH_MS, () => load().catch(failed(boxes.fitness)));

  async function load() {
    const [generations, families, archive, shares] = await Promise.all([get("generations"), get("families"), get("archive"), get("families/shares")]);
    charts.splice(0).forEach((chart) => chart.close());
    const add = (box, rows, options, without) => {
      if (rows.length < 2) return void box.replaceChildren(h("p", { class: "empty" }, without));
      const chart = new Chart({ height: 240, isTime: false, isWhole: true, xName: "Generation", xFormat: f.count, ...options });
      charts.push(chart);
      box.replaceChildren(chart.element);
    };
    add(boxes.fitness, generations, fitness(generations), "The curve needs two generations.");
    const judged = generations.filter((row) => row.trials !== null);
    add(boxes.luck, judged, luck(judged), "The curve needs two generations of this version.");
    add(boxes.chances, judged, chances(judged), "The curve needs two generations of this version.");
    add(boxes.shares, shares.generations, risingFamilies(shares), "The curve needs two generations of this version.");
    map.set(archive);
    if (!champion && archive.elites.length) {
      champion = archive.elites[0].spec_id;
      showLineage(boxes.lineage, champion);
    } else if (!champion) boxes.lineage.replaceChildren(h("p", { class: "empty" }, "The archive has no genome yet."));
    boxes.families.replaceChildren(familyTable(families));
    boxes.rows.replaceChildren(generationTable(generations));
  }
  return {
    update(state) {
      boxes.summary.replaceChildren(h("p", {}, state.learned.in_words), summary(state.learned));
      if (shown !== state.report.generations) again();
      shown = state.report.generations;
    },
    close: () => charts.forEach((chart) => chart.close()),
  };
}

// The sentence and these figures are of one state, so that they agree.
function summary(learned) {
  const { generations, evaluations, seconds } = learned;
  return facts([
    ["Generations", f.count(generations)], ["Evaluations", f.count(evaluations)],
    ["Evaluations per second", seconds ? f.count(evaluations / seconds) : "–"], ["Computing time", f.duration(seconds)],
    ["Sharpe ratio to beat", f.two(learned.luck_sharpe)], ["Best genome's", f.two(learned.best_sharpe)],
    ["Probability of overfitting", f.percent(learned.pbo)],
    ["Proposed, better than luck", f.count(learned.proposed)], ["Last reason for none", learned.last_reason || "–"]]);
}

const index = (rows) => rows.map((row) => row.index);
const column = (rows, name) => rows.map((row) => row[name]);

const fitness = (rows) => ({ title: "Best and median fitness of each generation", x: index(rows), format: f.scaled, series: [
  { name: "Best", colour: "accent", values: column(rows, "best_fitness") }, { name: "Median", colour: "amber", values: column(rows, "median_fitness"), dash: [5, 4] }] });

const luck = (rows) => ({ title: "Sharpe ratio of the best genome of each generation, and of the luckiest of as many without skill", x: index(rows), format: f.scaled, zero: true, series: [
  { name: "Best genome", colour: "accent", values: column(rows, "best_sharpe") }, { name: "Luckiest without skill", colour: "bad", values: column(rows, "luck_sharpe"), dash: [5, 4] }] });

const chances = (rows) => ({ title: "Probability of skill of the best genome, what a proposal needs, and the probability of overfitting", x: index(rows), format: f.roundPercent, zero: true, series: [
  { name: "Skill of the best", colour: "accent", values: column(rows, "best_skill") }, { name: "Needed", colour: "muted", values: column(rows, "needed_skill"), dash: [2, 4] },
  { name: "Overfitting (PBO)", colour: "orange", values: column(rows, "pbo"), dash: [6, 4] }] });

const risingFamilies = ({ generations, families }) => ({ title: "Share of each family among the signals of each generation", x: generations, format: f.roundPercent, zero: true,
  series: families.map((one, i) => ({ name: f.words(one.family), colour: `hue-${i % HUES}`, values: one.shares })) });

const familyTable = (families) => table([
  { name: "Family", cell: (r) => h("a", { href: `#/strategies?family=${r.family}` }, f.words(r.family)) },
  { name: "Simulating", cell: (r) => f.count(r.simulating), class: "n p2" }, { name: "Paper", cell: (r) => f.count(r.paper), class: "n" },
  { name: "Live", cell: (r) => f.count(r.live), class: "n p2" }, { name: "Retired", cell: (r) => f.count(r.retired), class: "n p2" },
  { name: "Capital by weight", cell: (r) => f.usd(r.weighted_usd), class: "n" }], [...families].sort((a, b) => b.weighted_usd - a.weighted_usd), "No strategies yet.");

const generationTable = (generations) => table([
  { name: "Gen.", cell: (r) => f.count(r.index), class: "n" }, { name: "Best", cell: (r) => f.two(r.best_fitness), class: "n" }, { name: "Median", cell: (r) => f.two(r.median_fitness), class: "n p2" },
  { name: "Sharpe", cell: (r) => f.large(r.best_sharpe), class: "n p2", title: "Of the genome with the most probable skill, in validation" }, { name: "To beat", cell: (r) => f.large(r.luck_sharpe), class: "n p2", title: "The luckiest of all evaluations so far, had none any skill" },
  { name: "PBO", cell: (r) => f.roundPercent(r.pbo), class: "n p2" },
  { name: "Evaluations", cell: (r) => f.count(r.evaluations), class: "n" }, { name: "Seconds", cell: (r) => f.one(r.seconds), class: "n p2" }, { name: "Proposed", cell: (r) => f.count(r.proposed), class: "n" }], [...generations].reverse().slice(0, 100), "No generation yet.");
