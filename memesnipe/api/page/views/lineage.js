// The ancestors of a genome, generation by generation, with the operator that made each.
import { get } from "../api.js";
import { failed, h, link, table } from "../dom.js";
import * as f from "../format.js";
import { chips } from "./parts.js";

const MADE = { random: "drawn at random", mutation: "mutation of ", crossover: "crossover of ", kept: "kept" };

const genome = (id) => link(`#/evolution/${encodeURIComponent(id)}`, id, { class: "id" });

function made({ operator, parents }) {
  if (!operator) return "not recorded by that version";
  return [MADE[operator] ?? operator, ...parents.flatMap((id, i) => [i ? " and " : "", genome(id)])];
}

// Fill a box with the ancestors of a genome.
export function showLineage(box, id) {
  return get(`strategies/${encodeURIComponent(id)}/lineage`).then((ancestors) => {
    const first = ancestors.at(-1).generation;
    box.replaceChildren(
      h("p", {}, "Genome ", h("span", { class: "id" }, id), ancestors.length === 1 ? " has no recorded ancestor." : ` descends from ${f.plural(ancestors.length - 1, "genome")}, back to generation ${f.count(first)}.`),
      table([
        { name: "Gen.", cell: (a) => f.count(a.generation), class: "n", title: "Generation in which it was first evaluated on the whole window" },
        { name: "Genome", cell: (a) => (a.spec_id === id ? h("strong", { class: "id" }, id) : genome(a.spec_id)) },
        { name: "Fitness", cell: (a) => f.short(a.fitness), class: "n p2" },
        { name: "Made by", cell: made, class: "wraps" },
        { name: "Signals", cell: (a) => chips(a.families), class: "p2" },
      ], ancestors, ""));
  }).catch(failed(box));
}
