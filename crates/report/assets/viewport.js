// Looking at a part of a square on a canvas: zooming and panning by pointer, wheel and keys.

/**
 * `view` {x, y, span} is the square part of 0..`whole` that is seen. `plane()` gives the canvas's
 * square in CSS pixels: {left, top, size}. `change()` draws; `hover(place | null)` and
 * `tap(place)` get {px, py, x, y}: pixels within the canvas and the place seen there. The wheel
 * zooms only when the canvas has the focus or Ctrl is held, so that the page scrolls past it.
 */
function viewport(canvas, { whole, least, plane, change, hover, tap }) {
  const view = { x: 0, y: 0, span: whole };
  const pointers = new Map();
  let moved = 0,
    pinch = null;

  const place = (event) => {
    const bounds = canvas.getBoundingClientRect(),
      { left, top, size } = plane();
    const px = event.clientX - bounds.left,
      py = event.clientY - bounds.top;
    return {
      px,
      py,
      x: view.x + ((px - left) / size) * view.span,
      y: view.y + ((py - top) / size) * view.span,
    };
  };
  const settle = () => {
    view.span = clamp(view.span, least, whole);
    view.x = clamp(view.x, 0, whole - view.span);
    view.y = clamp(view.y, 0, whole - view.span);
    canvas.style.touchAction = view.span < whole ? "none" : "pan-y";
    change();
  };
  const zoom = (factor, x = view.x + view.span / 2, y = view.y + view.span / 2) => {
    const span = clamp(view.span * factor, least, whole),
      part = span / view.span;
    Object.assign(view, { x: x - (x - view.x) * part, y: y - (y - view.y) * part, span });
    settle();
  };
  const pan = (dx, dy) => {
    view.x += dx;
    view.y += dy;
    settle();
  };
  const all = () => {
    Object.assign(view, { x: 0, y: 0, span: whole });
    settle();
  };
  /** Brings a place into view, no nearer than `span`. */
  const show = (x, y, span = view.span) => {
    view.span = Math.min(view.span, span);
    const edge = view.span * 0.08;
    if (x < view.x + edge || x > view.x + view.span - edge) view.x = x - view.span / 2;
    if (y < view.y + edge || y > view.y + view.span - edge) view.y = y - view.span / 2;
    settle();
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
    moved = 0;
    pinch = pointers.size === 2 ? distance() : null;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return hover(place(event));
    const dx = event.clientX - before.clientX,
      dy = event.clientY - before.clientY;
    moved += Math.abs(dx) + Math.abs(dy);
    pointers.set(event.pointerId, event);
    if (pinch) {
      const now = distance(),
        middle = place(event);
      zoom(pinch / now, middle.x, middle.y);
      pinch = now;
    } else if (view.span < whole && moved > 4) {
      const unit = view.span / plane().size;
      pan(-dx * unit, -dy * unit);
    }
  });
  const lift = (event) => {
    const down = pointers.delete(event.pointerId);
    if (down && event.type === "pointerup" && moved <= 4 && !pinch) tap(place(event));
    if (pointers.size === 0) pinch = null;
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => hover(null));
  canvas.addEventListener("dblclick", (event) => {
    const { x, y } = place(event);
    zoom(0.4, x, y);
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return;
      event.preventDefault();
      const { x, y } = place(event);
      zoom(1.0015 ** clamp(event.deltaY, -300, 300), x, y);
    },
    { passive: false },
  );

  const distance = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) || 1;
  };
  const buttons = el(
    "span",
    { class: "zoom", role: "group", "aria-label": "Zoom" },
    button("−", () => zoom(1.7), { "aria-label": "Zoom out" }),
    button("+", () => zoom(1 / 1.7), { "aria-label": "Zoom in" }),
    button("All", all, { "aria-label": "Show all" }),
  );
  /** Keys that both canvases know; whether `key` was one. */
  const press = (key) => {
    const known = { "+": () => zoom(1 / 1.7), "=": () => zoom(1 / 1.7), "-": () => zoom(1.7), 0: all }[key];
    known?.();
    return Boolean(known);
  };
  return { view, zoom, pan, all, show, buttons, press };
}
