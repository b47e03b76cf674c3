// Cells whose background shows a value; the value is always there as text too.
import { h, sign } from "./dom.js";

const STRONGEST = 45; // percent of the colour: text stays legible on it

// Return the greatest positive and negative amounts among values.
export function scaleOf(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  return { up: Math.max(...known, 0), down: Math.max(...known.map((value) => -value), 0) };
}

// Return a table cell that is tinted by its value relative to a scale of `scaleOf`.
export function heatCell(value, scale, properties, ...content) {
  const cell = h("td", { ...properties, class: `heat ${value < 0 ? "negative" : ""} ${properties.class ?? ""}` }, ...content);
  const most = value < 0 ? scale.down : scale.up;
  const share = sign(value, cell.textContent) && most ? Math.sqrt(Math.min(Math.abs(value) / most, 1)) : 0;
  cell.style.setProperty("--heat", `${Math.round(share * STRONGEST)}%`);
  return cell;
}
