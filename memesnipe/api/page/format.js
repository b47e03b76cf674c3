// Formatting of figures. Every figure comes from the API; none is computed here.

const numbers = (options) => {
  const format = new Intl.NumberFormat("en-US", { signDisplay: "negative", ...options }); // no sign of what rounds to zero
  return (value) => (value === null || value === undefined ? "–" : format.format(value).replace("-", "−"));
};

export const count = numbers({ maximumFractionDigits: 0 });
// Amounts of very different sizes: small ones keep significant digits instead of becoming zero.
// What is below half of the smallest unit is a remainder: of floats, or of USD changed into whole lamports.
const without = (unit, value) => (typeof value === "number" && Math.abs(value) < unit / 2 ? 0 : value);
const LAMPORT = 1e-9, LEAST_USD = 2e-6;
const amounts = (unit, least, fixed, significant, options = {}) => {
  const [large, small, zero] = [numbers({ ...options, ...fixed }), numbers({ ...options, ...significant }), numbers({ ...options, maximumFractionDigits: 0 })];
  return (value) => (without(unit, value) === 0 ? zero(0) : Math.abs(value) < least && value !== null ? small(value) : large(value));
};
const USD = { style: "currency", currency: "USD" };
const CENTS = [LEAST_USD, 0.01, {}, { maximumSignificantDigits: 2 }];
const SOL = [LAMPORT, 0.1, { minimumFractionDigits: 3, maximumFractionDigits: 3 }, { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }];

export const usd = amounts(...CENTS, USD);
export const signedUsd = amounts(...CENTS, { ...USD, signDisplay: "exceptZero" });
export const percent = numbers({ style: "percent", minimumFractionDigits: 2, maximumFractionDigits: 2 });
export const signedPercent = numbers({ style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "exceptZero" });
export const roundPercent = numbers({ style: "percent", maximumFractionDigits: 0 });
export const sol = amounts(...SOL);
export const signedSol = amounts(...SOL, { signDisplay: "exceptZero" });
export const two = numbers({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
export const short = numbers({ notation: "compact", maximumSignificantDigits: 3 });
// On an axis with the step between its labels: digits enough to tell neighbours apart.
const digits = (step) => Math.min(8, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
const fixed = (options, step) => numbers({ ...options, minimumFractionDigits: digits(step), maximumFractionDigits: digits(step) });
const tenths = numbers({ style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const compact = numbers({ ...USD, notation: "compact", maximumSignificantDigits: 4 });
export const ratio = (value, step) => (step < 0.001 ? fixed({ style: "percent" }, step * 100)(value) : tenths(value));
export const compactUsd = (value, step) => (step < 10 ? fixed(USD, step)(value) : compact(value));
export const roughUsd = numbers({ ...USD, notation: "compact", minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const compactSigned = numbers({ notation: "compact", maximumSignificantDigits: 2, signDisplay: "exceptZero" });
export const shortUsd = (value) => compactSigned(without(LEAST_USD, value));
export const brief = numbers({ notation: "compact", maximumFractionDigits: 1, signDisplay: "negative" });
export const large = (value) => (Math.abs(value) >= 1_000 ? brief : two)(value); // in a narrow column
export const scaled = (value, step) => (step ? fixed({}, step)(value) : two(value)); // on an axis, and beside it
export const price = numbers({ maximumSignificantDigits: 5 });
// A price on a chart: leading zeros as a small number, so that labels are short: 0.0₅12 is 0.0000012.
const DIGITS = "₀₁₂₃₄₅₆₇₈₉";
export function chartPrice(value) {
  const [shown, exponent] = value.toExponential(3).split("e");
  const zeros = -Number(exponent) - 1;
  if (!(value > 0) || zeros < 4) return price(value);
  const digits = shown.replace(".", "").replace(/0+$/, "");
  return `0.0${[...String(zeros)].map((digit) => DIGITS[digit]).join("")}${digits}`;
}
export const one = numbers({ maximumFractionDigits: 1 });

// A ratio that extrapolates to a year: less than a day does not carry it.
export const yearly = (value, observedS) => (observedS < 86_400 ? "n/a: under a day" : two(value));
// A figure of so many trades, which without any is none.
export const of = (trades, write, value) => (trades ? write(value) : "–");
export const bps = (value) => (value === null || value === undefined ? "–" : `${count(value)} bps`);
export const interval = (pair) => (pair ? `${signedPercent(pair[0])} to ${signedPercent(pair[1])}` : "–");

export const shortMint = (mint) => (mint.length > 11 ? `${mint.slice(0, 4)}…${mint.slice(-4)}` : mint);
export const words = (name) => name.replaceAll("_", " ");
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

// Times are event times in UTC: they do not depend on the reader, nor on the speed of a replay.
export const clock = (ts) => new Date(ts / 1e6).toISOString().slice(11, 19);
export const minute = (ts) => new Date(ts / 1e6).toISOString().slice(11, 16);
export const day = (ts) => new Date(ts / 1e6).toISOString().slice(5, 10);
export const moment = (ts) => `${new Date(ts / 1e6).toISOString().slice(0, 19).replace("T", " ")} UTC`;

export function duration(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60]];
  const [name, size] = units.find(([, unit]) => seconds >= 2 * unit) ?? ["s", 1];
  return `${Math.round(seconds / size)} ${name}`;
}
