// Numbers as the page prints them: a true minus sign, a dash for what is not defined.

const DASH = "–";

const fixed = (value, digits) =>
  value === null || value === undefined ? DASH : value.toFixed(digits).replace("-", "−");

const signed = (value, digits) =>
  value === null || value === undefined ? DASH : (value > 0 ? "+" : "") + fixed(value, digits);

const count = (value) => value.toLocaleString("en-US");

const plural = (value, one, many) => `${count(value)} ${value === 1 ? one : (many ?? `${one}s`)}`;

/** A part as per cent: enough digits to tell it from 0 and 100. */
function percent(part) {
  if (part === null || part === undefined) return DASH;
  const hundred = part * 100;
  const digits =
    hundred === 0 || hundred === 100 ? 0 : hundred < 1 || hundred > 99 ? 2 : hundred < 10 ? 1 : 0;
  return `${hundred.toFixed(digits)}\u00a0%`;
}

const range = ({ low, high }, digits) =>
  low === null ? "" : `${fixed(low, digits)} to ${fixed(high, digits)}`;

/** Powers of ten where they are shorter. */
function short(value) {
  if (value === null || value === undefined) return DASH;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e6) return count(Number(value.toPrecision(4))).replace("-", "−");
  const [mantissa, exponent] = value.toExponential(2).split("e");
  const power = `10${raised(Number(exponent))}`;
  const factor = String(Number(mantissa)).replace("-", "−");
  return factor === "1" ? power : `${factor} × ${power}`;
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const raised = (integer) =>
  (integer < 0 ? "⁻" : "") + [...String(Math.abs(integer))].map((digit) => SUPERSCRIPTS[digit]).join("");

/** The class's name; names may repeat across hierarchies, indices do not. */
const nameOf = (index) => classes[index] ?? `class ${index}`;
