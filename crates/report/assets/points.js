// A hundred thousand points, drawn pixel by pixel: no path, no context calls, a few milliseconds.

/**
 * Draws into `canvas`. `groups`: [{points, colours, alpha, radius}] one over the other, where `points` are
 * indices and `colours[i]` is [red, green, blue] of point i; `px[i]`, `py[i]` its place in device
 * pixels, as is the `radius` of each group.
 */
function splat(canvas, { groups, px, py, paper }) {
  const { width, height } = canvas,
    context = canvas.getContext("2d");
  const frame = context.createImageData(width, height),
    data = frame.data;
  const solid = new Uint32Array(data.buffer);
  // Little-endian, as every machine is that has a browser.
  solid.fill(0xff000000 | (paper[2] << 16) | (paper[1] << 8) | paper[0]);
  for (const { points, colours, alpha, radius } of groups) {
    const stamp = disc(radius),
      half = Math.ceil(radius);
    for (const i of points) {
      const cx = Math.round(px[i]),
        cy = Math.round(py[i]);
      if (cx < -half || cy < -half || cx >= width + half || cy >= height + half) continue;
      const [red, green, blue] = colours[i];
      for (const { dx, dy, cover } of stamp) {
        const x = cx + dx,
          y = cy + dy;
        if (x < 0 || y < 0 || x >= width || y >= height) continue;
        const at = (y * width + x) * 4,
          part = cover * alpha;
        data[at] += (red - data[at]) * part;
        data[at + 1] += (green - data[at + 1]) * part;
        data[at + 2] += (blue - data[at + 2]) * part;
      }
    }
  }
  context.putImageData(frame, 0, 0);
}

/** Pixels of a disc with the part of each that it covers. */
function disc(radius) {
  const half = Math.ceil(radius),
    stamp = [];
  for (let dy = -half; dy <= half; dy++) {
    for (let dx = -half; dx <= half; dx++) {
      const cover = clamp(radius + 0.5 - Math.hypot(dx, dy), 0, 1);
      if (cover > 0) stamp.push({ dx, dy, cover });
    }
  }
  return stamp;
}

/** Finds points near a place: squares of `side` over 0..1, each with its points. */
function lookup(x, y) {
  const side = Math.max(1, Math.floor(Math.sqrt(x.length / 4))),
    squares = new Map();
  const square = (value) => clamp(Math.floor(value * side), 0, side - 1);
  for (let i = 0; i < x.length; i++) {
    const at = square(y[i]) * side + square(x[i]);
    if (!squares.has(at)) squares.set(at, []);
    squares.get(at).push(i);
  }
  /** The nearest point within `reach` that `wanted` agrees to, or null. */
  return (atX, atY, reach, wanted = () => true) => {
    let best = null,
      least = reach ** 2;
    for (let row = square(atY - reach); row <= square(atY + reach); row++) {
      for (let column = square(atX - reach); column <= square(atX + reach); column++) {
        for (const i of squares.get(row * side + column) ?? []) {
          const far = (x[i] - atX) ** 2 + (y[i] - atY) ** 2;
          if (far <= least && wanted(i)) [best, least] = [i, far];
        }
      }
    }
    return best;
  };
}

/** A stride through `many` points that visits each once, so that no class lies over another. */
function shuffled(many) {
  const gcd = (a, b) => (b ? gcd(b, a % b) : a);
  let stride = Math.max(1, Math.floor(many * 0.618));
  while (gcd(stride, many) !== 1) stride++;
  const indices = new Uint32Array(many);
  for (let i = 0, at = 0; i < many; i++, at = (at + stride) % many) indices[i] = at;
  return indices;
}
