// The page's data, and elements made from it. Text always enters as text, never as markup.

const { page, order } = JSON.parse(document.getElementById("data").textContent);
const { classes } = page;
const thumbnails = page.thumbnails ?? {};
const texts = page.texts ?? {};

const section = (id) => document.getElementById(id);

/** An element; `on…` attributes are listeners, and null, false and undefined ones are left out. */
function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const button = (text, onclick, attributes) => el("button", { type: "button", onclick, ...attributes }, text);

/** A choice among [value, text] pairs, with its label. */
function choice(label, options, onchange, attributes) {
  const select = el(
    "select",
    { onchange: () => onchange(select.value), ...attributes },
    options.map(([value, text]) => el("option", { value }, text)),
  );
  return { select, element: el("label", { class: "control" }, el("span", null, label), select) };
}

/** Prose under a section's heading. */
const lead = (...children) => el("p", { class: "lead" }, ...children);

/** Numbered as they come to stand in the document; main.js counts. */
const figure = (caption, ...children) =>
  el("figure", null, ...children, el("figcaption", null, el("b", { class: "figure-number" }), " ", caption));

/** An estimate as {value, low, high}; what is not known is null. */
function estimate(entry) {
  const [value, low, high] = Array.isArray(entry) ? entry : [entry, null, null];
  return { value: value ?? null, low: low ?? null, high: high ?? null };
}

/** Calls `draw` with the element's width now, and whenever that changes. */
function sized(element, draw) {
  let width = 0;
  new ResizeObserver((entries) => {
    const now = Math.floor(entries[0].contentRect.width);
    if (now > 0 && now !== width) draw((width = now));
  }).observe(element);
}

/** A canvas of that many CSS pixels, sharp on this screen; its context counts in CSS pixels. */
function sharpen(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
