// The features in two dimensions: zoomed, hovered, and coloured as a painter says.

function mapSection(host) {
  const { map } = page,
    points = map.x.length,
    row = map.rows?.length ? (i) => map.rows[i] : (i) => i;
  const place = unitSquare(map.x, map.y),
    find = lookup(place.x, place.y),
    sequence = shuffled(points);
  const painter = page.samples ? classPainter(row, place) : valuePainter(row);
  const canvas = el("canvas", {
    class: "points",
    tabindex: 0,
    role: "application",
    "aria-roledescription": "map",
    "aria-label": `${plural(points, "sample")} on a map, ${map.method}. Arrow keys move, plus and minus zoom; the sample in the middle is named.`,
  });
  const card = el("div", { class: "card", "aria-live": "polite" }),
    box = el("div", { class: "map-box" }, canvas);
  const ring = el("span", { class: "ring", hidden: true });
  box.append(ring);
  const state = { size: 0, mode: painter.modes[0][0], chosen: null };
  const seen = viewport(canvas, {
    whole: 1,
    least: 0.004,
    plane: () => ({ left: 0, top: 0, size: state.size }),
    change: () => draw(),
    hover: (at) => at && name(nearest(at.x, at.y, 12)),
    tap: (at) => {
      canvas.focus({ preventScroll: true });
      state.chosen = nearest(at.x, at.y, 14);
      name(state.chosen);
    },
  });
  const nearest = (x, y, pixels) =>
    find(
      x,
      y,
      (pixels / state.size) * seen.view.span,
      (i) => painter.lit(i, null),
    );

  const name = (i) => {
    const shown = i ?? state.chosen;
    ring.hidden = shown === null;
    card.replaceChildren(
      shown === null
        ? el("p", { class: "note" }, "Point at a sample to read it; select it to keep it here.")
        : painter.card(row(shown)),
    );
    if (shown === null) return;
    const unit = state.size / seen.view.span;
    ring.style.transform = `translate(${(place.x[shown] - seen.view.x) * unit}px, ${(place.y[shown] - seen.view.y) * unit}px)`;
  };
  let ready = null,
    waiting = false;
  const paint = () => {
    waiting = false;
    if (!state.size) return;
    ready ??= painter.colours(state.mode);
    const ratio = canvas.width / state.size,
      { x, y, span } = seen.view,
      unit = canvas.width / span;
    const px = new Float32Array(points),
      py = new Float32Array(points);
    for (let i = 0; i < points; i++) {
      px[i] = (place.x[i] - x) * unit;
      py[i] = (place.y[i] - y) * unit;
    }
    const radius = clamp(60 / Math.sqrt(points), 0.8, 3.2) * clamp(span ** -0.35, 1, 3.5) * ratio;
    const focused = painter.focused(),
      lit = (i) => painter.lit(i, state.mode);
    const under = [],
      over = [];
    for (const i of sequence)
      (lit(i) && !(state.mode === "right" && ready.list[i] === ready.quiet) ? over : under).push(i);
    const grey = focused ? new Array(points).fill(ready.quiet) : ready.list;
    splat(canvas, {
      px,
      py,
      paper: rgb("--sheet"),
      groups: [
        { points: under, colours: grey, radius, alpha: focused ? 0.3 : 0.6 },
        {
          points: over,
          colours: ready.list,
          radius: focused ? Math.max(radius * 1.5, 1.6 * ratio) : radius,
          alpha: 0.85,
        },
      ],
    });
    name(null);
  };
  const draw = () => {
    if (!waiting) requestAnimationFrame(paint);
    waiting = true;
  };
  const anew = () => {
    ready = null;
    painter.theme();
    draw();
  };
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key],
      { view } = seen;
    if (step) seen.pan(step[0] * view.span * 0.1, step[1] * view.span * 0.1);
    else if (!seen.press(event.key)) return;
    event.preventDefault();
    state.chosen = nearest(view.x + view.span / 2, view.y + view.span / 2, state.size / 2);
    name(null);
  });
  const by = choice("Colour", painter.modes, (mode) => {
    state.mode = mode;
    said();
    anew();
  });
  const meaning = el("p", { class: "note", role: "status" });
  const said = () => {
    meaning.textContent = painter.meaning(state.mode);
    if (painter.legend) painter.legend.hidden = meaning.textContent !== "";
  };
  said();
  painter.changed(() => {
    said();
    anew();
  });
  focus.follow(draw);
  onTheme(anew);
  sized(box, (width) => {
    state.size = Math.min(width, 760);
    sharpen(canvas, state.size, state.size);
    anew();
  });
  host.append(
    el("div", { class: "controls" }, painter.choice, by.element, seen.buttons),
    el(
      "div",
      { class: "beside" },
      figure(
        `${count(points)} samples. ${map.method}${painter.note}.`,
        box,
      ),
      el("div", { class: "side" }, card, meaning, painter.legend),
    ),
  );
}

/** The projection within 0..1, upwards turned downwards, its shape kept. */
function unitSquare(x, y) {
  const ends = (values) =>
    values.reduce(
      ([low, high], v) => (v === null ? [low, high] : [Math.min(low, v), Math.max(high, v)]),
      [Infinity, -Infinity],
    );
  const [left, right] = ends(x),
    [low, high] = ends(y),
    span = Math.max(right - left, high - low) * 1.04 || 1;
  const midX = (left + right) / 2,
    midY = (low + high) / 2;
  return {
    x: Float32Array.from(x, (v) => 0.5 + (v - midX) / span),
    y: Float32Array.from(y, (v) => 0.5 - (v - midY) / span),
  };
}
