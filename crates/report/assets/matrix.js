// The confusion matrix on a canvas: any number of classes, every cell at least a pixel and a half.

/**
 * `most` is the largest share of a class that another takes: the deepest red. `hover(cell)` and
 * `pick(cell)` get {truth, predicted, count}. What is returned: the `element`, `arrange(order)` to
 * show the classes in another order, `point(cell)` to mark a cell, zoom's `buttons`.
 */
function matrix({ cells, support, most, hover, pick }) {
  const many = classes.length,
    counts = new Map(cells.map(([t, p, n]) => [t * many + p, n]));
  const base = el("canvas", { "aria-hidden": "true" });
  const top = el("canvas", {
    class: "over",
    tabindex: 0,
    role: "application",
    "aria-roledescription": "confusion matrix",
    "aria-label":
      `Confusion matrix of ${plural(many, "class", "classes")}. Arrow keys move from cell to cell, M to the ` +
      "next of the most frequent mistakes, Enter lists the samples of a cell, plus and minus zoom, 0 shows all.",
  });
  const element = el("div", { class: "matrix" }, base, top);
  const state = {
    width: 0,
    wide: 0,
    named: false,
    margin: 0,
    size: 0,
    rank: [],
    order: [],
    hovered: null,
    marked: null,
  };
  const cellAt = (row, column) => {
    const truth = state.order[row],
      predicted = state.order[column];
    return truth === undefined || predicted === undefined
      ? null
      : { truth, predicted, count: counts.get(truth * many + predicted) ?? 0 };
  };
  const seen = viewport(top, {
    whole: many,
    least: Math.min(many, 4),
    plane: () => ({ left: state.margin, top: state.margin, size: state.size }),
    change: () => draw(),
    hover: (at) => {
      state.hovered = at && nearest(at);
      hover(state.hovered);
      drawOver();
    },
    tap: (at) => {
      const cell = nearest(at);
      if (cell) {
        top.focus({ preventScroll: true });
        select(cell);
      }
    },
  });

  /** The cell there; where cells are tiny, the fullest within reach. */
  const nearest = ({ x, y }) => {
    if (x < 0 || y < 0 || x >= many || y >= many || x < seen.view.x || y < seen.view.y) return null;
    const row = Math.floor(y),
      column = Math.floor(x),
      reach = Math.ceil((4 * seen.view.span) / state.size) - 1;
    let best = cellAt(row, column);
    if (reach < 1 || best.count) return best;
    for (let r = row - reach; r <= row + reach; r++) {
      for (let c = column - reach; c <= column + reach; c++) {
        const cell = cellAt(r, c);
        if (cell && cell.count > best.count) best = cell;
      }
    }
    return best;
  };
  const select = (cell) => {
    mark(cell);
    pick(cell);
  };
  const mark = (cell) => {
    state.marked = cell;
    if (cell) seen.show(state.rank[cell.predicted] + 0.5, state.rank[cell.truth] + 0.5);
    drawOver();
  };
  const arrange = (order) => {
    state.order = order;
    state.rank = [];
    order.forEach((index, place) => (state.rank[index] = place));
    draw();
  };

  const shades = shadesOf(cells, support, most);
  /** Names need a wide margin, and have one as soon as they fit beside their cells. */
  const place = () => {
    const size = (margin) => state.width - margin - 14;
    state.named = size(state.wide) / seen.view.span >= 9;
    state.margin = state.named ? state.wide : 48;
    state.size = size(state.margin);
  };
  const plane = () => {
    const { margin, size, rank, order, named } = state,
      { x, y, span } = seen.view;
    return { margin, size, rank, order, x, y, span, unit: size / span, named };
  };
  const draw = () => {
    if (!state.width || !state.order.length) return;
    place();
    const context = sharpen(base, state.width, state.width);
    paintCells(context, shades, plane());
    paintNames(context, plane());
    drawOver();
  };
  const drawOver = () => {
    if (state.size) paintMarks(sharpen(top, state.width, state.width), plane(), state.hovered, state.marked);
  };

  const frequent = cells.filter(([t, p]) => t !== p).sort((a, b) => b[2] - a[2]);
  let next = 0;
  top.addEventListener("keydown", (event) => {
    const from = state.marked ?? cellAt(0, 0),
      far = event.shiftKey ? 10 : 1;
    const step = { ArrowUp: [-far, 0], ArrowDown: [far, 0], ArrowLeft: [0, -far], ArrowRight: [0, far] }[
      event.key
    ];
    const bound = (place) => clamp(place, 0, many - 1);
    if (step)
      mark(cellAt(bound(state.rank[from.truth] + step[0]), bound(state.rank[from.predicted] + step[1])));
    else if (event.key.toLowerCase() === "m" && frequent.length) {
      const [truth, predicted, n] = frequent[next++ % frequent.length];
      mark({ truth, predicted, count: n });
    } else if (event.key === "Enter" || event.key === " ") pick(from);
    else if (!seen.press(event.key)) return;
    event.preventDefault();
    hover(state.marked);
  });
  focus.follow((index) => {
    if (index !== null && state.size) seen.show(state.rank[index] + 0.5, state.rank[index] + 0.5);
    drawOver();
  });
  onTheme(draw);
  sized(element, (width) => {
    const context = base.getContext("2d");
    context.font = `13px ${FONT}`;
    state.width = Math.min(width, 720);
    const longest = many > 400 ? 110 : Math.max(...classes.map((name) => context.measureText(name).width));
    state.wide = Math.round(clamp(longest + 32, 48, state.width * 0.27));
    element.style.height = `${state.width}px`;
    draw();
  });
  return { element, arrange, point: mark, buttons: seen.buttons };
}
