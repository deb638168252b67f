// What points of the map are coloured by, and what is said of one: of classes, or of labels and numbers.

/** Colours of classes, of right and wrong, of confidence. */
function classPainter(row, place) {
  const { samples, map } = page,
    points = map.x.length;
  const truth = Array.from({ length: points }, (_, i) => samples.truth[row(i)]);
  const colouring = assignColours(truth, place),
    legend = mapLegend(truth, colouring);
  return {
    modes: [
      ["class", "true class"],
      ["predicted", "predicted class"],
      ["right", "right or wrong"],
      ["confidence", "confidence"],
    ],
    choice: null,
    legend: legend.element,
    note: classes.length > colouring.used ? ". Colours repeat; classes that lie side by side differ" : "",
    meaning: (mode) => MEANINGS[mode] ?? "",
    changed: () => {},
    theme: () => legend.colour(palette(colouring.used, isDark())),
    focused: () => focus.class !== null,
    lit: (i, mode) =>
      focus.class === null ||
      truth[i] === focus.class ||
      (mode === "predicted" && samples.predicted[row(i)] === focus.class),
    card: sampleCard,
    colours: (mode) => {
      const set = palette(colouring.used, isDark()),
        wrong = rgb("--wrong"),
        quiet = quietColour(),
        ramp = colourRamp();
      return {
        quiet,
        list: Array.from({ length: points }, (_, i) => {
          const at = row(i);
          if (mode === "class") return set[colouring.of[truth[i]] % set.length];
          if (mode === "predicted") return set[(colouring.of[samples.predicted[at]] ?? 0) % set.length];
          if (mode === "right") return samples.truth[at] === samples.predicted[at] ? quiet : wrong;
          return ramp(samples.confidence[at]);
        }),
      };
    },
  };
}

/** Colours of one label or number at a time: what is so, what is said, how far they are apart. */
function valuePainter(row) {
  const { outputs } = page.values,
    points = page.map.x.length,
    followers = [];
  let shown = outputs[0];
  const pick =
    outputs.length > 1
      ? choice(
          capital(page.outputs),
          outputs.map(({ output }, i) => [i, nameOf(output)]),
          (i) => {
            shown = outputs[i];
            followers.forEach((follow) => follow());
          },
        )
      : null;
  const values = (mode) =>
    mode === "truth"
      ? shown.truth
      : mode === "predicted"
        ? shown.predicted
        : shown.truth.map((value, i) => Math.abs(value - shown.predicted[i]));
  const ends = (mode) => {
    if (page.outputs === "label") return [0, 1];
    const of = mode === "error" ? values(mode) : [...shown.truth, ...shown.predicted];
    return of.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [
      mode === "error" ? 0 : Infinity,
      -Infinity,
    ]);
  };
  const isLabel = page.outputs === "label";
  return {
    modes: [
      ["truth", isLabel ? "borne or not" : "true number"],
      ["predicted", isLabel ? "probability" : "predicted number"],
      ["error", "error"],
    ],
    choice: pick?.element ?? null,
    legend: null,
    note: "",
    meaning: (mode) => {
      const [low, high] = ends(mode);
      return mode === "error"
        ? `${nameOf(shown.output)}: from blue, no error, to red, one of ${short(high)}.`
        : `${nameOf(shown.output)}: from red, ${short(low)}, to blue, ${short(high)}.`;
    },
    changed: (follow) => followers.push(follow),
    theme: () => {},
    focused: () => false,
    lit: () => true,
    card: (at) => valueCard(at),
    colours: (mode) => {
      const of = values(mode),
        [low, high] = ends(mode),
        ramp = colourRamp();
      const part = (value) => (value - low) / (high - low || 1);
      return {
        quiet: quietColour(),
        list: Array.from({ length: points }, (_, i) => {
          const at = part(of[row(i)]);
          return ramp(mode === "error" ? 1 - at : at);
        }),
      };
    },
  };
}

const quietColour = () => mix(rgb("--sheet"), rgb("--ink"), 0.3);

/** From red at 0 to blue at 1. */
function colourRamp() {
  const steps = Array.from({ length: 33 }, (_, i) => mix(rgb("--wrong"), rgb("--right"), i / 32));
  return (part) => steps[Math.round(clamp(part, 0, 1) * 32)];
}

/** What colours mean that are not those of classes. */
const MEANINGS = {
  right: "Red: wrong. Grey: right.",
  confidence: "From red, a confidence of 0, to blue, one of 1.",
};

function sampleCard(at) {
  const { ids, truth, predicted, confidence } = page.samples,
    right = truth[at] === predicted[at];
  return el(
    "div",
    null,
    thumbnails[ids[at]] ? picture(ids[at]) : null,
    quoted(ids[at]),
    el(
      "p",
      { class: right ? "" : "worse" },
      right ? `${nameOf(truth[at])}, right` : `${nameOf(truth[at])} → ${nameOf(predicted[at])}`,
      el("span", { class: "confidence" }, ` ${fixed(confidence[at], 3)}`),
    ),
    el("p", null, idText(ids[at])),
  );
}

/** What is so of one sample and what is said, output by output. */
function valueCard(at) {
  const { ids, outputs } = page.values;
  const line = ({ output, truth, predicted }) =>
    page.outputs === "label"
      ? `${nameOf(output)}: ${truth[at] ? "borne" : "not borne"}, probability ${fixed(predicted[at], 3)}`
      : `${nameOf(output)}: ${short(truth[at])}, predicted ${short(predicted[at])}`;
  return el(
    "div",
    null,
    thumbnails[ids[at]] ? picture(ids[at]) : null,
    quoted(ids[at]),
    outputs.slice(0, 12).map((output) => el("p", null, line(output))),
    el("p", null, idText(ids[at])),
  );
}
