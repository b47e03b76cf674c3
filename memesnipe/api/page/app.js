// The dashboard: shows the view that the address names, and passes each state of the stream on to it.
import { askForToken } from "./actions.js";
import { h, show } from "./dom.js";
import { Live } from "./live.js";
import { themeButton } from "./theme.js";
import { evolution } from "./views/evolution.js";
import { market, token } from "./views/market.js";
import { overview } from "./views/overview.js";
import { compare, strategies } from "./views/strategies.js";
import { strategy } from "./views/strategy.js";
import { system } from "./views/system.js";
import { trades } from "./views/trades.js";

const byId = (id) => document.getElementById(id);
const VIEWS = {
  "": overview, strategies: (root, at) => (at.path[1] ? strategy : strategies)(root, at), compare, evolution,
  market: (root, at) => (at.path[1] ? token : market)(root, at), trades, system,
};
const STATUS_KINDS = { healthy: "good", starting: "warning", degraded: "warning", unhealthy: "emergency" };

let view = {};

// Return the address of a view with those parameters that have a value.
function go(path, query = {}) {
  const known = Object.entries(query).filter(([, value]) => value);
  return `#/${path}${known.length ? `?${new URLSearchParams(known)}` : ""}`;
}

function open() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const at = { path: path.split("/").map(decodeURIComponent), query: Object.fromEntries(new URLSearchParams(query)), go };
  const name = at.path[0] in VIEWS ? at.path[0] : "";
  view.close?.();
  const root = h("div", { class: "view" });
  byId("view").replaceChildren(root);
  view = VIEWS[name](root, at) ?? {};
  for (const link of document.querySelectorAll("#nav a")) {
    const isHere = link.getAttribute("href") === `#/${name === "compare" ? "strategies" : name}`;
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${name ? name[0].toUpperCase() + name.slice(1) : "Overview"} · MemeSnipe`;
  if (live.state) view.update?.(live.state, null);
}

function notice(text) {
  show(byId("notice"), text);
  byId("notice").hidden = !text;
  document.body.classList.toggle("stale", Boolean(text));
}

function showHealth(health) {
  show(byId("status"), health.status);
  byId("status").className = `badge ${STATUS_KINDS[health.status] ?? ""}`;
  byId("status").title = health.detail;
  show(byId("version"), `MemeSnipe ${health.version}`);
}

const live = new Live({
  state(state, before) {
    notice("");
    showHealth(state.health);
    const { report } = state;
    show(byId("run"), report.run_id ? `${report.feed}, run ${report.run_id}, ${report.status}` : "No run yet");
    view.update?.(state, before);
  },
  trouble({ error, health }) {
    notice(`${error}. The figures shown are old; the page keeps trying.`);
    if (health) showHealth(health);
  },
  lost() {
    notice("The connection is lost. The figures shown are old; the page keeps trying.");
    show(byId("status"), "connection lost");
    byId("status").className = "badge emergency";
  },
  refused(text) {
    show(byId("status"), "token needed");
    askForToken(text, () => { live.reopen(); open(); });
  },
});

themeButton(byId("theme"), () => open());
addEventListener("hashchange", () => { open(); byId("view").focus({ preventScroll: true }); scrollTo(0, 0); });
open();
live.open();
