// Numbers: what is said against what is so, and by how much it is off.

/** Dots that a plot draws; of more rows, evenly many. */
const MOST_DOTS = 4000;

function valuesSection(host) {
  const { ids, outputs } = page.values,
    plates = el("div", { class: "plates" }),
    card = el("div", { class: "card", "aria-live": "polite" });
  const all = Array.from(ids, (_, i) => i);
  const step = Math.max(1, Math.ceil(all.length / MOST_DOTS));
  let first = true;
  const draw = ({ output, truth, predicted }) => {
    const name = nameOf(output);
    // The worst are always drawn.
    const far = all.toSorted(
      (a, b) => Math.abs(truth[b] - predicted[b]) - Math.abs(truth[a] - predicted[a]),
    );
    const rows = far.filter((_, place) => place < 40 || place % step === 0);
    const both = wide([...truth, ...predicted]),
      off = wide([0, ...truth.map((value, i) => predicted[i] - value)]);
    const point = (y) => (i) => ({
      x: truth[i],
      y: y(i),
      text: `${ids[i]}: ${short(truth[i])}, predicted ${short(predicted[i])}, off by ${short(predicted[i] - truth[i])}`,
    });
    const scatter = (caption, y, axis, title, guide) => {
      const points = rows.map(point(y));
      return figure(
        caption,
        plot({
          label: caption,
          points,
          x: { ...both, title: `true ${name}` },
          y: { ...axis, title },
          height: (width) => Math.min(width, 400),
          draw: (pen) => {
            pen.line(guide, "guide");
            for (const { x, y } of points.toReversed()) pen.dot(x, y, "value", 2.5);
          },
        }),
      );
    };
    const shown = rows.length < all.length ? ` ${count(rows.length)} of ${count(all.length)} rows are drawn.` : "";
    plates.replaceChildren(
      scatter(`Predicted against true ${name}. Dotted: right.${shown}`, (i) => predicted[i], both, `predicted ${name}`, [
        { x: both.min, y: both.min },
        { x: both.max, y: both.max },
      ]),
      scatter(`Residuals: predicted less true ${name}. Dotted: right.`, (i) => predicted[i] - truth[i], off, "residual", [
        { x: both.min, y: 0 },
        { x: both.max, y: 0 },
      ]),
    );
    const worst = far[0];
    card.replaceChildren(el("p", { class: "note" }, `Farthest off in ${name}:`), valueCard(worst));
    if (!first) numberFigures();
    first = false;
  };
  const which =
    outputs.length > 1
      ? choice(
          "Number",
          outputs.map(({ output }, i) => [i, nameOf(output)]),
          (i) => draw(outputs[i]),
        )
      : null;
  host.append(which ? el("div", { class: "controls" }, which.element) : "", plates, card);
  draw(outputs[0]);
}

/** The least and the largest, with some air. */
function wide(values) {
  const [least, most] = values.reduce(
    ([low, high], v) => [Math.min(low, v), Math.max(high, v)],
    [Infinity, -Infinity],
  );
  const air = (most - least || Math.abs(most) || 1) * 0.05;
  return { min: least - air, max: most + air };
}
