// Light and dark, and colours for canvases, which cannot read style sheets.

const listeners = new Set();
const probe = el("span", { class: "colour-probe", "aria-hidden": "true" });
document.body.append(probe);

/** What a custom property comes to now, as [red, green, blue]. */
function rgb(property) {
  probe.style.color = `var(${property})`;
  return getComputedStyle(probe)
    .color.match(/[\d.]+/g)
    .slice(0, 3)
    .map(Number);
}

const css = ([red, green, blue], alpha = 1) => `rgb(${red} ${green} ${blue} / ${alpha})`;

const mix = (from, to, part) => from.map((channel, i) => Math.round(channel + (to[i] - channel) * part));

/** Calls `draw` whenever light becomes dark or the other way round. */
const onTheme = (draw) => listeners.add(draw);

const isDark = () =>
  getComputedStyle(document.documentElement).colorScheme === "dark" ||
  (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  for (const draw of listeners) draw();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const draw of listeners) draw();
});

/** OKLCH to sRGB (Ottosson 2020), clipped. */
function oklch(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180),
    b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((linear) => {
    const gamma = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
    return Math.round(clamp(gamma, 0, 1) * 255);
  });
}

/** Up to eight classes: Okabe and Ito's colours (2008), which the colour-blind can tell apart too. */
const FEW = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [213, 94, 0],
  [86, 180, 233],
  [150, 120, 20],
  [110, 110, 120],
];

/** More: twelve hues, each light and deep. */
function palette(many, dark) {
  if (many <= FEW.length) return dark ? FEW.map((colour) => mix(colour, [255, 255, 255], 0.15)) : FEW;
  const colours = [];
  for (const [lightness, chroma] of dark
    ? [
        [0.78, 0.14],
        [0.62, 0.17],
      ]
    : [
        [0.62, 0.16],
        [0.45, 0.13],
      ]) {
    for (let i = 0; i < 12; i++)
      colours.push(oklch(lightness, chroma, 20 + i * 30 + (lightness > 0.61 ? 0 : 15)));
  }
  return colours;
}
