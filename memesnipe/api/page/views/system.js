// System: the health of each part, the audit log of actions, and the settings of the run.
import { get, list } from "../api.js";
import { badge, card, facts, failed, h, input, link, table } from "../dom.js";
import * as f from "../format.js";
import { stateKind, strategyLink, tokenLink } from "./parts.js";

const moment = (text) => `${text.slice(0, 19).replace("T", " ")}`;

export function system(root) {
  const parts = h("ul", { class: "parts", id: "health" });
  const flow = h("div");
  const log = h("div", { id: "actions" });
  const life = h("div");
  const settings = h("div", { class: "settings" });
  const ray = link(`${location.protocol}//${location.hostname}:8265`, "Ray dashboard", { rel: "noreferrer" });
  root.append(h("h1", {}, "System"), card("Health", { action: ray }, parts), card("Events", {}, flow),
    card("Actions: who asked for what", {}, log), card("Latest changes of mode", {}, life),
    card("Settings of the run that decide its results", {}, settings));
  get("settings").then((found) => showSettings(settings, found)).catch(failed(settings));
  let shown = "";
  return {
    update(state, before) {
      if (!before || before.health !== state.health || !parts.children.length) showParts(parts, state.health);
      const { events, rejected_because: reasons } = state.report;
      flow.replaceChildren(facts([
        ["Run", `${state.report.run_id} (${state.report.status})`], ["Feed", state.report.feed], ["Published", f.count(events.published)], ["Consumed", f.count(events.consumed)], ["Behind", f.count(events.published - events.consumed)],
        ["Rejected", Object.keys(reasons).length ? Object.entries(reasons).map(([name, count]) => `${f.count(count)} ${f.words(name)}`).join(", ") : "0"], ["API started", moment(state.health.started_at)], ["Version", state.health.version]]));
      const key = JSON.stringify(state.commands);
      if (shown !== key) list("actions", { limit: 100 }).then(({ rows }) => log.replaceChildren(showActions(rows))).catch(failed(log));
      shown = key;
      if (!before || before.lifecycle !== state.lifecycle || !life.children.length) life.replaceChildren(showLife(state.lifecycle));
    },
  };
}

function showParts(box, health) {
  box.replaceChildren(...Object.entries(health.parts).map(([name, part]) => h("li", { class: stateKind(part.state) },
    h("span", { class: "name" }, f.words(name)), h("span", { class: "muted" }, part.detail ? `${part.state}: ${part.detail}` : part.state))));
}

const showActions = (rows) => table([
  { name: "When, UTC", cell: (a) => h("span", { title: moment(a.asked_at) }, h("span", { class: "p2" }, `${a.asked_at.slice(0, 10)} `), a.asked_at.slice(11, 19)), class: "time" },
  { name: "Action", cell: (a) => f.words(a.name) },
  { name: "Of", cell: (a) => [a.spec_id ? strategyLink(a.spec_id) : "–", a.mint ? [" ", tokenLink(a.mint), ` (${a.account})`] : []].flat(), class: "p2" },
  { name: "Who", cell: (a) => a.who, class: "p2" },
  { name: "Reason", cell: (a) => a.reason || "–", class: "p3" },
  { name: "Outcome", cell: (a) => (a.refused ? badge(`refused: ${a.refused}`, "failed") : a.outcome ?? "waiting for the next event"), class: "wraps" },
], rows, "No action yet.");

const showLife = (rows) => table([
  { name: "After event", cell: (r) => f.count(r.seq), class: "n" },
  { name: "Strategy", cell: (r) => strategyLink(r.spec_id) },
  { name: "To", cell: (r) => badge(r.to_mode, r.to_mode) },
  { name: "Because", cell: (r) => r.reason, class: "why p2" },
], rows, "No strategy has changed its mode yet.");

function showSettings(box, { settings, started_at: started }) {
  const rows = Object.entries(settings).sort(([a], [b]) => a.localeCompare(b));
  const list = h("div");
  const draw = (text) => list.replaceChildren(facts(rows.filter(([name]) => name.includes(text.toLowerCase().replaceAll(" ", "_"))).map(([name, value]) => [name.toUpperCase(), String(value)])));
  const search = input("Name contains", "", draw, { type: "search", input: (event) => draw(event.target.value) });
  box.replaceChildren(h("p", { class: "muted" }, started ? `The run began at ${moment(started)} UTC.` : "No run yet."), search, list);
  draw("");
}
