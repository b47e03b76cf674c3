// Actions: each asks for a confirmation, a reason and, where it is not known, the token.
import { keepToken, post, token } from "./api.js";
import { h, show } from "./dom.js";
import { sol } from "./format.js";

const ACTIONS = {
  halt: { title: "Halt all trading", path: () => "halt", text: () => "All trading stops at once. Open positions are kept. It lasts until it is reset.", confirm: "Halt", kind: "danger" },
  reset: { title: "Resume after a halt, or reset the breaker", path: () => "risk/reset", text: () => "Trading resumes; after Critical or Emergency, drawdown is measured from the current equity on.", confirm: "Resume" },
  promote: { title: "Promote a strategy", path: (id) => `strategies/${encodeURIComponent(id)}/promote`, text: (id) => `${id} moves one mode up, past the gates.`, confirm: "Promote" },
  demote: { title: "Demote a strategy", path: (id) => `strategies/${encodeURIComponent(id)}/demote`, text: (id) => `${id} moves one mode down, and is not promoted again automatically.`, confirm: "Demote", kind: "danger" },
  close: {
    title: "Close a position", confirm: "Close", kind: "danger",
    path: (p) => `positions/${p.account}/${encodeURIComponent(p.spec_id)}/${encodeURIComponent(p.mint)}/close`,
    text: (p) => `All of ${p.mint} that strategy ${p.spec_id} holds on the ${p.account} account is sold at what the market pays; it is worth about ${sol(p.value_sol)} SOL. The sale is tried again until it succeeds. The strategy may buy again.`,
  },
};

// `target` is the id of a strategy, or a position.
export function actionButton(name, target = "", { small = false, label = null } = {}) {
  const action = ACTIONS[name];
  return h("button", { type: "button", class: `button ${small ? "small" : ""} ${action.kind ?? ""}`, "aria-label": label, click: () => ask(action, target) }, action.confirm);
}

function ask(action, target) {
  const problem = h("p", { class: "problem", role: "alert" });
  const reason = h("input", { name: "reason", maxLength: 200, autocomplete: "off", placeholder: "recorded with the command" });
  const secret = tokenField();
  const confirm = h("button", { type: "submit", class: `button primary ${action.kind ?? ""}` }, action.confirm);
  const form = h("form", { class: "dialog", submit: async (event) => {
    event.preventDefault();
    if (secret.value) keepToken(secret.value.trim());
    confirm.disabled = true;
    try {
      const done = await post(action.path(target), reason.value || "on the page");
      announce(`${action.confirm}: recorded as command ${done.command_id}. It takes effect at the next event.`);
      dialog.close();
    } catch (error) {
      if (error.status === 401) keepToken("");
      show(problem, `Not done: ${error.message}`);
    } finally {
      confirm.disabled = false;
    }
  } },
  h("h2", {}, action.title), h("p", {}, action.text(target)),
  h("label", { class: "field" }, h("span", {}, "Reason"), reason), secret.label, problem,
  h("div", { class: "buttons" }, h("button", { type: "button", class: "button", click: () => dialog.close() }, "Cancel"), confirm));
  const dialog = open(action.title, form);
}

function tokenField() {
  const field = h("input", { type: "password", name: "token", autocomplete: "off", value: token(), required: true });
  const label = h("label", { class: "field" }, h("span", {}, "Token (from .memesnipe/secrets/api_token; kept for this tab alone)"), field);
  return { label, get value() { return field.value; } };
}

// Ask for the token, which another machine needs to read anything.
export function askForToken(text, done) {
  const secret = tokenField();
  const form = h("form", { class: "dialog", submit: (event) => {
    event.preventDefault();
    keepToken(secret.value.trim());
    dialog.close();
    done();
  } }, h("h2", {}, "Token"), h("p", {}, text), secret.label, h("div", { class: "buttons" }, h("button", { type: "submit", class: "button primary" }, "Continue")));
  const dialog = open("Token", form);
}

function open(label, form) {
  const dialog = h("dialog", { "aria-label": label, close: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// Say something for some seconds.
export function announce(text) {
  const box = document.getElementById("announcement");
  show(box, text);
  box.hidden = false;
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => { box.hidden = true; }, 8000);
}
