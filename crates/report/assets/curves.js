// ROC and precision over recall: the mean of all classes, and the class in focus.

function curvesSection(host) {
  const { macro_roc, macro_precision_recall, classes: single = [], left_out = 0 } = page.curves;
  const byClass = new Map(single.map((entry) => [entry.class, entry])),
    plates = el("div", { class: "plates" });
  const which = single.length
    ? choice(
        capital(page.outputs),
        [["", `mean of all ${everyOutput()} only`], ...single.map((entry) => [entry.class, nameOf(entry.class)])],
        (value) => focus.set(value === "" ? null : Number(value)),
      )
    : null;
  let first = true;
  const draw = (index) => {
    const entry = byClass.get(index),
      figures = [];
    if (which) which.select.value = entry ? index : "";
    if (macro_roc || entry?.roc || single.some(({ roc }) => roc))
      figures.push(
        curveFigure("ROC", macro_roc, entry?.roc, index, {
          x: "false positive rate",
          y: "true positive rate",
          area: "AUC",
          read: (x, y) => `false positive rate ${rate(x)}, true positive rate ${fixed(y, 3)}`,
          chance: [
            { x: 0, y: 0 },
            { x: 1, y: 1 },
          ],
        }),
      );
    if (macro_precision_recall || entry?.precision_recall || single.some((of) => of.precision_recall))
      figures.push(
        curveFigure(
          "Precision over recall",
          macro_precision_recall && stepped(macro_precision_recall),
          entry?.precision_recall && stepped(entry.precision_recall),
          index,
          {
            x: "recall",
            y: "precision",
            area: "AP",
            read: (x, y) => `recall ${rate(x)}, precision ${fixed(y, 3)}`,
            threshold: entry?.threshold,
            chance: entry
              ? [
                  { x: 0, y: entry.prevalence },
                  { x: 1, y: entry.prevalence },
                ]
              : null,
          },
        ),
      );
    plates.replaceChildren(...figures);
    if (!first) numberFigures();
    first = false;
  };
  host.append(
    lead(
      (page.outputs === "class"
        ? "Each class against all others, at every threshold of its probability. Dotted: guessing."
        : "Rows that bear a label against all others, at every threshold of its probability. Dotted: guessing. The dot is where the head predicts it.") +
        (left_out
          ? ` Listed: the ${single.length} ${everyOutput()} of least average precision; ${left_out} others are left out.`
          : ""),
    ),
    which ? el("div", { class: "controls" }, which.element) : "",
    plates,
  );
  // Of labels one by itself is of interest: it has a threshold.
  draw(single.length === 1 || (single.length && page.outputs === "label") ? single[0].class : null);
  focus.follow(draw);
}

/** Precision holds from the recall before to its own. */
function stepped({ x, y, threshold, area }) {
  const out = { x: [], y: [], threshold: [], area };
  x.forEach((recall, i) => {
    if (i > 0 && y[i] !== y[i - 1]) {
      out.x.push(x[i - 1]);
      out.y.push(y[i]);
      out.threshold.push(threshold?.[i]);
    }
    out.x.push(recall);
    out.y.push(y[i]);
    out.threshold.push(threshold?.[i]);
  });
  return out;
}

function curveFigure(name, macro, own, index, { x, y, area, read, chance, threshold }) {
  const shape = (curve) => curve.x.map((at, i) => ({ x: at, y: curve.y[i] }));
  const read_of = own ?? macro,
    about = own ? nameOf(index) : `mean of all ${everyOutput()}`;
  const points = read_of
    ? read_of.x.map((at, i) => ({
        x: at,
        y: read_of.y[i],
        text:
          `${about}: ${read(at, read_of.y[i])}` +
          (read_of.threshold?.[i] !== undefined && read_of.threshold[i] !== null
            ? ` from a probability of ${fixed(read_of.threshold[i], 3)}`
            : ""),
      }))
    : [];
  const says = (curve) => {
    const it = estimate(curve.area);
    return `${area} ${fixed(it.value, 4)}${it.low === null ? "" : ` (${range(it, 4)})`}`;
  };
  // Points come by rising recall, so by falling threshold: the last that is predicted.
  const at = threshold === undefined ? -1 : (own?.threshold ?? []).findLastIndex((least) => least > threshold);
  const caption = [
    macro ? `Mean of all ${everyOutput()}: ${says(macro)}` : null,
    own ? `${nameOf(index)}, in blue: ${says(own)}` : null,
    at >= 0
      ? `Predicted above ${fixed(threshold, 3)}: recall ${fixed(own.x[at], 3)}, precision ${fixed(own.y[at], 3)}`
      : null,
  ]
    .filter(Boolean)
    .join(". ");
  return figure(
    `${name}. ${caption}${caption ? "." : `Choose a ${page.outputs}.`}`,
    plot({
      label: `${name}. ${caption}.`,
      points,
      x: { ...PART, title: x },
      y: { ...PART, title: y },
      height: (width) => Math.min(width, 400),
      draw: (pen) => {
        if (chance) pen.line(chance, "guide");
        if (macro) pen.line(shape(macro), own ? "other" : "here");
        if (own) pen.line(shape(own), "here");
        if (at >= 0) pen.dot(own.x[at], own.y[at], "here", 5);
      },
    }),
  );
}

/** Of rates, also very small ones are of interest. */
const rate = (x) => (x > 0 && x < 0.001 ? short(x) : fixed(x, 3));

/** What all outputs are called. */
const everyOutput = () => (page.outputs === "class" ? "classes" : `${page.outputs}s`);
