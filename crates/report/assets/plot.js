// Plots as SVG, drawn anew for each width so that text keeps its size.

/** Whether a plot above has already said how plots are read. */
let hinted = false;

const MARGIN = { top: 10, right: 14, bottom: 40, left: 52 };

/**
 * A plot. `x` and `y`: {min, max, title, log, zero, format, ticks}; with `log`, `zero` is where a
 * value of 0 is put. `draw(pen)` draws the data; `points` [{x, y, text}] are what a pointer or the
 * arrow keys can name. `label` says in words what is seen.
 */
function plot({ label, x, y, draw, points = [], height = (width) => clamp(width * 0.72, 220, 340) }) {
  const box = el("div", { class: "plot" });
  const hint =
    points.length && !hinted ? "Point at a plot, or focus it and use the arrow keys, to read values." : "";
  const text = el("p", { class: "readout", "aria-live": "polite" }, hint);
  hinted ||= Boolean(hint);
  let at = -1;
  sized(box, (width) => {
    const pen = penFor(width, height(width), x, y);
    const picture = svg("svg", {
      width,
      height: pen.height,
      viewBox: `0 0 ${width} ${pen.height}`,
      role: "img",
      "aria-label": label,
      tabindex: points.length ? 0 : null,
    });
    const data = svg("g"),
      mark = svg("circle", { class: "mark", r: 4.5, visibility: "hidden" });
    pen.layer = data;
    axes(pen, picture);
    draw(pen);
    picture.append(data, mark);
    const show = (index) => {
      at = index;
      const point = points[index];
      mark.setAttribute("visibility", point ? "visible" : "hidden");
      text.textContent = point ? point.text : hint;
      if (!point) return;
      mark.setAttribute("cx", pen.sx(point.x));
      mark.setAttribute("cy", pen.sy(point.y));
    };
    if (points.length) listen(picture, pen, points, show, () => at);
    box.replaceChildren(picture);
  });
  return el("div", { class: "plot-frame" }, box, points.length ? text : null);
}

function listen(picture, pen, points, show, current) {
  picture.addEventListener("pointermove", (event) => {
    const bounds = picture.getBoundingClientRect();
    const px = event.clientX - bounds.left,
      py = event.clientY - bounds.top;
    // Across counts more than up: one reads a curve at an x.
    const far = points.map((point) => (pen.sx(point.x) - px) ** 2 + 0.2 * (pen.sy(point.y) - py) ** 2);
    show(far.indexOf(Math.min(...far)));
  });
  picture.addEventListener("pointerleave", () => document.activeElement === picture || show(-1));
  picture.addEventListener("blur", () => show(-1));
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    const end = { Home: 0, End: points.length - 1 }[event.key];
    if (step === undefined && end === undefined) return;
    event.preventDefault();
    show(end ?? clamp(current() + step, 0, points.length - 1));
  });
}

/** Scales, and the strokes that data are drawn with. */
function penFor(width, height, x, y) {
  const inner = {
    left: MARGIN.left,
    right: width - MARGIN.right,
    top: MARGIN.top,
    bottom: height - MARGIN.bottom,
  };
  const scale = (axis, from, to) => {
    const map = (value) => (axis.log ? Math.log10(value > 0 ? value : (axis.zero ?? axis.min)) : value);
    const low = map(axis.min),
      high = map(axis.max);
    return (value) => from + ((map(value) - low) / (high - low || 1)) * (to - from);
  };
  const pen = {
    width,
    height,
    x,
    y,
    ...inner,
    sx: scale(x, inner.left, inner.right),
    sy: scale(y, inner.bottom, inner.top),
  };
  const add = (shape) => pen.layer.append(shape);
  const known = (points) => points.filter((point) => point.x !== null && point.y !== null);
  const place = ({ x: px, y: py }) => `${pen.sx(px).toFixed(1)},${pen.sy(py).toFixed(1)}`;
  pen.line = (points, kind) =>
    add(svg("polyline", { class: kind, fill: "none", points: known(points).map(place).join(" ") }));
  pen.band = (points, kind) => {
    const inside = points.filter((point) => point.low !== null);
    const outline = [
      ...inside.map((point) => ({ x: point.x, y: point.high })),
      ...inside.reverse().map((point) => ({ x: point.x, y: point.low })),
    ];
    if (outline.length > 2) add(svg("polygon", { class: kind, points: outline.map(place).join(" ") }));
  };
  pen.dot = (px, py, kind, r = 3) => add(svg("circle", { class: kind, r, cx: pen.sx(px), cy: pen.sy(py) }));
  pen.whisker = (px, low, high, kind) =>
    low === null ||
    add(svg("line", { class: kind, x1: pen.sx(px), x2: pen.sx(px), y1: pen.sy(low), y2: pen.sy(high) }));
  pen.bar = (from, to, low, high, kind) =>
    add(
      svg("rect", {
        class: kind,
        x: pen.sx(from) + 0.5,
        y: pen.sy(high),
        width: Math.max(pen.sx(to) - pen.sx(from) - 1, 0.5),
        height: Math.max(pen.sy(low) - pen.sy(high), 0),
      }),
    );
  pen.rule = (px, kind) =>
    add(svg("line", { class: kind, x1: pen.sx(px), x2: pen.sx(px), y1: pen.top, y2: pen.bottom }));
  pen.note = (px, py, text, kind, anchor = "start") =>
    add(svg("text", { class: kind, x: pen.sx(px), y: pen.sy(py), "text-anchor": anchor }, text));
  return pen;
}

function axes(pen, picture) {
  const { left, right, top, bottom } = pen,
    group = svg("g", { class: "axes" });
  for (const tick of pen.x.ticks ?? ticks(pen.x, (right - left) / 70)) {
    const at = pen.sx(tick);
    group.append(
      svg("line", { x1: at, x2: at, y1: bottom, y2: bottom + 4 }),
      svg("text", { x: at, y: bottom + 17, "text-anchor": "middle" }, (pen.x.format ?? short)(tick)),
    );
  }
  for (const tick of pen.y.ticks ?? ticks(pen.y, (bottom - top) / 44)) {
    const at = pen.sy(tick);
    group.append(
      svg("line", { class: "grid", x1: left, x2: right, y1: at, y2: at }),
      svg("text", { x: left - 7, y: at + 4, "text-anchor": "end" }, (pen.y.format ?? short)(tick)),
    );
  }
  group.append(
    svg("line", { x1: left, x2: right, y1: bottom, y2: bottom }),
    svg(
      "text",
      { class: "title", x: (left + right) / 2, y: bottom + 34, "text-anchor": "middle" },
      pen.x.title,
    ),
    svg(
      "text",
      { class: "title", x: -(top + bottom) / 2, y: 12, transform: "rotate(-90)", "text-anchor": "middle" },
      pen.y.title,
    ),
  );
  picture.append(group);
}

/** About `many` round numbers within an axis. */
function ticks({ min, max, log, zero }, many) {
  const found = [];
  if (log) {
    const low = Math.ceil(Math.log10(min) - 1e-9),
      high = Math.floor(Math.log10(max) + 1e-9);
    const factors = high - low < 2 ? [1, 2, 5] : [1],
      stride = Math.max(1, Math.ceil((high - low) / Math.max(many, 2)));
    for (let power = low - 1; power <= high; power += stride) {
      for (const factor of factors) found.push(factor * 10 ** power);
    }
    const inside = found.filter((tick) => tick >= min * 0.999 && tick <= max * 1.001);
    return zero ? [0, ...inside.filter((tick) => tick > zero * 2)] : inside;
  }
  const rough = (max - min) / Math.max(many, 2),
    power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++)
    found.push(Number((i * step).toPrecision(12)));
  return found;
}

/** The least and largest of what estimates reach, with some air; within 0 to 1 for shares. */
function extent(estimates, scale) {
  const ends = estimates.flatMap(({ value, low, high }) => [value, low, high]).filter((end) => end !== null);
  const least = Math.min(...ends),
    most = Math.max(...ends),
    air = (most - least || Math.abs(most) || 1) * 0.08;
  const low = scale === "correlation" ? least - air : Math.max(0, least - air);
  return { min: low, max: scale === "loss" ? most + air : Math.min(1, most + air) };
}
