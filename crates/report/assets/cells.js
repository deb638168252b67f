// How the confusion matrix is painted.
//
// `plane`: the square of `size` pixels behind `margin` in which `span` classes are seen from place
// (`x`, `y`) on, each `unit` pixels large; `order[place]` is a class, `rank[class]` its place.
// `named`: the margin is wide enough for names.

const FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif";
const SHADES = 24;
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/**
 * Cells by how deep they are painted: mistakes first, faint ones before deep ones, then the diagonal,
 * which they would hide where cells are tiny.
 */
function shadesOf(cells, support, most) {
  const shades = [[], []].map(() => Array.from({ length: SHADES }, () => []));
  for (const [truth, predicted, n] of cells) {
    if (n === 0) continue;
    const right = truth === predicted,
      part = n / support[truth] / (right ? 1 : most || 1);
    shades[right ? 1 : 0][clamp(Math.ceil(Math.sqrt(part) * SHADES) - 1, 0, SHADES - 1)].push([
      truth,
      predicted,
      n,
    ]);
  }
  return shades;
}

function paintCells(context, shades, { margin, size, rank, x, y, unit }) {
  const ink = rgb("--ink"),
    paper = rgb("--sheet"),
    counts = [];
  context.fillStyle = css(paper);
  context.fillRect(margin, margin, size, size);
  context.save();
  context.beginPath();
  context.rect(margin, margin, size, size);
  context.clip();
  const wide = Math.max(unit, 1.5) - (unit > 10 ? 1 : 0);
  // What is a pixel large must be stronger to be seen.
  const faint = unit < 4 ? 0.4 : 0.14;
  shades.forEach((ramp, right) => {
    const full = rgb(right ? "--right" : "--wrong");
    ramp.forEach((cells, shade) => {
      const colour = mix(paper, full, faint + ((0.96 - faint) * shade) / (SHADES - 1));
      context.fillStyle = css(colour);
      for (const [truth, predicted, n] of cells) {
        const left = (rank[predicted] - x) * unit,
          top = (rank[truth] - y) * unit;
        if (left < -unit || top < -unit || left > size || top > size) continue;
        context.fillRect(margin + left, margin + top, wide, wide);
        if (unit >= 24) counts.push([n, margin + left + unit / 2, margin + top + unit / 2, colour]);
      }
    });
  });
  context.font = `${clamp(unit * 0.36, 10, 15)}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const [n, cx, cy, colour] of counts) {
    context.fillStyle = luminance(colour) > 0.18 ? "#111" : "#fff";
    context.fillText(n < 10000 ? n : `${Math.round(n / 1000)}k`, cx, cy);
  }
  context.restore();
  context.strokeStyle = css(ink, 0.35);
  context.strokeRect(margin - 0.5, margin - 0.5, size + 1, size + 1);
}

/** Classes along both sides, or their places where names do not fit. */
function paintNames(context, { margin, size, order, x, y, span, unit, named }) {
  const ink = rgb("--ink"),
    step = named ? 1 : (STEPS.find((many) => many * unit >= 45) ?? order.length);
  context.font = `${clamp(unit * 0.7, 9, 13)}px ${FONT}`;
  context.fillStyle = css(ink, 0.85);
  context.textBaseline = "middle";
  for (const [from, across] of [
    [x, true],
    [y, false],
  ]) {
    for (let place = Math.ceil(from - 0.5 + 1e-9); place + 0.5 < from + span; place++) {
      if ((place + 1) % step) continue;
      const at = margin + (place + 0.5 - from) * unit;
      context.save();
      context.translate(across ? at : margin - 6, across ? margin - 6 : at);
      if (across && named) context.rotate(-Math.PI / 2);
      context.textAlign = across ? (named ? "left" : "center") : "right";
      context.fillText(
        named ? fit(context, nameOf(order[place]), margin - 22) : place + 1,
        0,
        across && !named ? -4 : 0,
      );
      context.restore();
    }
  }
  context.fillStyle = css(ink, 0.75);
  context.font = `italic 12px ${FONT}`;
  context.textAlign = "center";
  context.fillText("predicted", margin + size / 2, 7);
  context.translate(7, margin + size / 2);
  context.rotate(-Math.PI / 2);
  context.fillText("true", 0, 0);
}

/** The class in focus, the cell that is pointed at, the cell that was chosen. */
function paintMarks(context, { margin, size, rank, x, y, unit }, hovered, marked) {
  const ink = rgb("--ink");
  context.beginPath();
  context.rect(margin - 2, margin - 2, size + 4, size + 4);
  context.clip();
  const cross = (row, column, alpha) => {
    context.fillStyle = css(ink, alpha);
    const wide = Math.max(unit, 1);
    context.fillRect(margin, margin + (row - y) * unit, size, wide);
    context.fillRect(margin + (column - x) * unit, margin, wide, size);
  };
  const frame = ({ truth, predicted }, line) => {
    const wide = Math.max(unit, 5),
      off = (wide - unit) / 2;
    context.strokeStyle = css(ink);
    context.lineWidth = line;
    context.strokeRect(
      margin + (rank[predicted] - x) * unit - off,
      margin + (rank[truth] - y) * unit - off,
      wide,
      wide,
    );
  };
  if (focus.class !== null) cross(rank[focus.class], rank[focus.class], 0.13);
  if (hovered) {
    cross(rank[hovered.truth], rank[hovered.predicted], 0.07);
    frame(hovered, 1);
  }
  if (marked) frame(marked, 2);
}

const luminance = (colour) => {
  const [red, green, blue] = colour.map((channel) => (channel / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

/** `text`, shortened to fit. */
function fit(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}
