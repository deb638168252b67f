// Reliability, the spread of confidence, and what declining to answer would bring.

const PART = { min: 0, max: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], format: (value) => value.toFixed(1) };

function calibrationSection(host) {
  const { equal_width = [], equal_mass = [], histogram, reject } = page.calibration,
    figures = [];
  for (const [bins, name] of [
    [equal_width, "equal width"],
    [equal_mass, "equal count"],
  ]) {
    if (bins.length)
      figures.push(
        figure(
          `Reliability in ${plural(bins.length, "bin")} of ${name}: below the diagonal the head claims ` +
            "more than it keeps. Bars are 95 % intervals, dots as large as their bin is full.",
          reliability(bins, name),
        ),
      );
  }
  if (histogram)
    figures.push(figure("Confidence of right (blue) and wrong rows (red, on top).", confidences(histogram)));
  if (reject?.coverage.length) {
    figures.push(figure("Accuracy when only the surest rows are answered.", rejectPlot(reject)));
    figures.push(
      figure(
        "What a wanted accuracy costs: the confidence to ask for, and the rows left unanswered.",
        rejectTable(reject),
      ),
    );
  }
  host.append(
    calibrationLead(equal_mass.length ? equal_mass : equal_width),
    el("div", { class: "plates" }, figures),
  );
}

function calibrationLead(bins) {
  const total = bins.reduce((sum, bin) => sum + bin.count, 0);
  if (!total) return "";
  const mean = (of) => bins.reduce((sum, bin) => sum + of(bin) * bin.count, 0) / total;
  const claims = mean((bin) => bin.confidence),
    keeps = mean((bin) => estimate(bin.accuracy).value),
    gap = claims - keeps;
  const worst = bins.reduce((most, bin) =>
    Math.abs(bin.confidence - estimate(bin.accuracy).value) >
    Math.abs(most.confidence - estimate(most.accuracy).value)
      ? bin
      : most,
  );
  return lead(
    `On average the head claims ${percent(claims)} and keeps ${percent(keeps)}: `,
    Math.abs(gap) < 0.005
      ? "neither too sure nor too modest"
      : `it is ${gap > 0 ? "too sure" : "too modest"} by ${fixed(Math.abs(gap) * 100, 1)} points`,
    `. The bin farthest off claims ${percent(worst.confidence)} and keeps ${percent(estimate(worst.accuracy).value)}.`,
  );
}

function reliability(bins, name) {
  const most = Math.max(...bins.map((bin) => bin.count));
  const points = bins.map((bin) => {
    const it = estimate(bin.accuracy);
    return {
      x: bin.confidence,
      y: it.value,
      text:
        `Confidence ${fixed(bin.low, 3)} to ${fixed(bin.high, 3)}: claims ${fixed(bin.confidence, 3)}, ` +
        `keeps ${fixed(it.value, 3)}${it.low === null ? "" : ` (${range(it, 3)})`}, ${plural(bin.count, "row")}`,
    };
  });
  return plot({
    label: `Reliability diagram, bins of ${name}. ${points.map((point) => point.text).join(". ")}.`,
    points,
    x: { ...PART, title: "mean confidence" },
    y: { ...PART, title: "accuracy" },
    height: (width) => Math.min(width, 360),
    draw: (pen) => {
      pen.line(
        [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
        "guide",
      );
      for (const bin of bins) {
        const it = estimate(bin.accuracy);
        pen.bar(bin.low, Math.max(bin.high, bin.low + 0.002), 0, it.value, "ghost");
      }
      for (const bin of bins) {
        const it = estimate(bin.accuracy);
        // From what is claimed to what is kept.
        pen.whisker(
          bin.confidence,
          Math.min(it.value, bin.confidence),
          Math.max(it.value, bin.confidence),
          "gap",
        );
        pen.whisker(bin.confidence, it.low, it.high, "whisker");
        pen.dot(bin.confidence, it.value, "here", 2 + 3 * Math.sqrt(bin.count / most));
      }
    },
  });
}

function confidences({ right, wrong }) {
  const bins = right.length,
    most = Math.max(1, ...right.map((n, i) => n + wrong[i]));
  const points = right.map((n, i) => ({
    x: (i + 0.5) / bins,
    y: n + wrong[i],
    text: `Confidence ${fixed(i / bins, 2)} to ${fixed((i + 1) / bins, 2)}: ${count(n)} right, ${count(wrong[i])} wrong`,
  }));
  return plot({
    label: "Histogram of confidence, right and wrong rows.",
    points,
    x: { ...PART, title: "confidence" },
    y: { min: 0, max: most * 1.05, title: "rows" },
    height: (width) => Math.min(width, 360),
    draw: (pen) =>
      right.forEach((n, i) => {
        if (n) pen.bar(i / bins, (i + 1) / bins, 0, n, "right");
        if (wrong[i]) pen.bar(i / bins, (i + 1) / bins, n, n + wrong[i], "wrong");
      }),
  });
}

function rejectPlot({ coverage, accuracy, threshold }) {
  const points = coverage.map((x, i) => ({
    x,
    y: accuracy[i],
    text: `Answering ${percent(x)} of the rows (confidence from ${fixed(threshold[i], 3)}): ${percent(accuracy[i])} right`,
  }));
  const least = Math.min(...accuracy),
    low = Math.max(0, Math.floor(least * 20 - 0.2) / 20);
  return plot({
    label: `Accuracy over coverage: ${points.at(-1).text}.`,
    points,
    x: { ...PART, title: "part of the rows answered" },
    y: { min: low, max: 1, title: "accuracy", format: (value) => value.toFixed(2) },
    height: (width) => Math.min(width, 360),
    draw: (pen) => pen.line(points, "here"),
  });
}

function rejectTable({ coverage, accuracy, threshold }) {
  const lines = [0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999].flatMap((wanted) => {
    // The widest coverage that is accurate enough.
    const at = accuracy.findLastIndex((value) => value >= wanted);
    if (accuracy.at(-1) >= wanted) return [];
    return [
      el(
        "tr",
        null,
        el("th", { scope: "row", class: "number" }, `${(wanted * 100).toFixed(wanted > 0.99 ? 1 : 0)} %`),
        el("td", { class: "number" }, at < 0 ? DASH : fixed(threshold[at], 3)),
        el("td", { class: "number" }, at < 0 ? "not reached" : percent(coverage[at])),
        el("td", { class: "number" }, at < 0 ? "" : percent(1 - coverage[at])),
      ),
    ];
  });
  const now = el(
    "tr",
    null,
    el("th", { scope: "row", class: "number" }, percent(accuracy.at(-1))),
    el("td", { class: "number" }, DASH),
    el("td", { class: "number" }, percent(coverage.at(-1))),
    el("td", { class: "number" }, percent(1 - coverage.at(-1))),
  );
  return el(
    "table",
    { class: "plain" },
    el(
      "thead",
      null,
      el(
        "tr",
        null,
        ["accuracy", "confidence from", "answered", "left"].map((head) =>
          el("th", { scope: "col", class: "number" }, head),
        ),
      ),
    ),
    el("tbody", null, now, lines),
  );
}
