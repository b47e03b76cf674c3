// Elements. Text from data is only ever set as text, never as HTML.

// Return an element. Properties that are functions are event handlers; `data` and `aria-` names are attributes.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "class") element.className = value;
    else if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Set a text; an unchanged one is not set again, so that a screen reader does not repeat it.
export function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const badge = (text, kind = "") => h("span", { class: `badge ${kind}` }, text);
// The class of a gain or a loss; none for a value whose text has no digit but zeros.
export const sign = (value, text = "1") => (!/[1-9]/.test(text) ? "" : value > 0 ? "up" : value < 0 ? "down" : "");

export function card(title, properties, ...content) {
  const { class: kind = "", action = null, ...others } = properties;
  const heading = h("div", { class: "card-title" }, h("h2", {}, title), action);
  return h("section", { class: `card ${kind}`, "aria-label": title, ...others }, heading, ...content);
}

// A list of names and values.
export function facts(rows) {
  return h("dl", { class: "facts" }, rows.map(([name, value, kind = ""]) => h("div", {}, h("dt", {}, name), h("dd", { class: kind }, value))));
}

// A table of a few rows; `columns` are {name, cell, class, title}.
export function table(columns, rows, empty) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const head = columns.map((column) => h("th", { scope: "col", class: column.class ?? "", title: column.title ?? "" }, column.name));
  const body = rows.map((row) => h("tr", {}, columns.map((column) => h("td", { class: column.class ?? "" }, column.cell(row)))));
  return h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": `Table: ${columns.map((column) => column.name).join(", ")}` },
    h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
}

// Say in a box that its data cannot be read; what is there already stays, under the notice of a lost connection.
export const failed = (box) => (error) => {
  if (!box.children.length) box.replaceChildren(h("p", { class: "empty" }, `This cannot be read: ${error.message}`));
};

export const link = (href, text, properties = {}) => h("a", { href, ...properties }, text);

export function select(label, options, value, changed) {
  const choices = options.map(([name, text]) => h("option", { value: name, selected: name === value }, text));
  return h("label", { class: "field" }, h("span", {}, label), h("select", { change: (event) => changed(event.target.value) }, choices));
}

export function input(label, value, changed, properties = {}) {
  const field = h("input", { value, autocomplete: "off", spellcheck: false, change: (event) => changed(event.target.value.trim()), ...properties });
  return h("label", { class: "field" }, h("span", {}, label), field);
}
