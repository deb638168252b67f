// What was judged, the headline figures, the comparison, and what to know before trusting them.

const AXES = { share: { min: 0, max: 1 }, correlation: { min: -1, max: 1 } };

const VERDICTS = { better: "Better than", worse: "Worse than", undecided: "Not told apart from" };

function masthead() {
  const { features, split, rows } = page.summary;
  const facts = [
    split ? `split ${split}` : null,
    rows ? plural(rows, "row") : null,
    plural(classes.length, page.outputs, page.outputs === "class" ? "classes" : undefined),
  ];
  return [
    el("p", { class: "kind" }, "Evaluation of a head on frozen features"),
    features ? el("p", { class: "features" }, features) : null,
    el("p", { class: "facts" }, facts.filter(Boolean).join(" · ")),
  ];
}

function summarySection(host) {
  const { figures = [], baseline, warnings = [] } = page.summary;
  if (warnings.length) host.append(warningList(warnings));
  if (figures.length)
    host.append(
      figure(
        `Headline figures${figures.some(({ estimate: e }) => Array.isArray(e)) ? "; bars are 95 % intervals" : ""}. ` +
          "Shares are drawn from 0 to 1, correlations from −1 to 1, losses from 0 to the number at the end of their line." +
          (baseline ? ` Hollow marks are ${baseline.name}.` : ""),
        figureTable(figures, baseline),
      ),
    );
  if (baseline) host.append(comparison(baseline));
}

function warningList(warnings) {
  return el(
    "div",
    { class: "warnings", role: "note", "aria-label": "Before trusting the figures" },
    el("h3", null, "Before trusting the figures"),
    el(
      "ul",
      null,
      warnings.map(({ title, text }) => el("li", null, el("b", null, title), " ", text)),
    ),
  );
}

function figureTable(figures, baseline) {
  const others = new Map((baseline?.differences ?? []).map((entry) => [entry.name, entry.baseline]));
  return el(
    "table",
    { class: "figures" },
    el(
      "thead",
      { class: "visually-hidden" },
      el(
        "tr",
        null,
        ["Figure", "Value", "95 % interval", "Drawn"].map((name) => el("th", { scope: "col" }, name)),
      ),
    ),
    el(
      "tbody",
      null,
      figures.map(({ name, estimate: entry, scale }) => {
        const it = estimate(entry),
          other = others.get(name) ?? null;
        const axis = AXES[scale] ?? {
          min: 0,
          max: roundUp(Math.max(it.value ?? 0, it.high ?? 0, other ?? 0)),
        };
        return el(
          "tr",
          null,
          el("th", { scope: "row" }, name),
          el("td", { class: "number value" }, fixed(it.value, 4)),
          el("td", { class: "number interval" }, range(it, 4)),
          el("td", { class: "drawn" }, track(it, axis, other)),
        );
      }),
    ),
  );
}

/** A line with the interval as a bar and the value as a tick. */
function track({ value, low, high }, { min, max }, other) {
  if (value === null) return null;
  const at = (number) => `${clamp(((number - min) / (max - min)) * 100, 0, 100).toFixed(2)}%`;
  const lines = [svg("line", { class: "rail", x1: 0, x2: "100%", y1: 9, y2: 9 })];
  for (const end of [min, (min + max) / 2, max])
    lines.push(svg("line", { class: "rail", x1: at(end), x2: at(end), y1: 6, y2: 12 }));
  if (low !== null) lines.push(svg("line", { class: "reach", x1: at(low), x2: at(high), y1: 9, y2: 9 }));
  lines.push(svg("line", { class: "point", x1: at(value), x2: at(value), y1: 2, y2: 16 }));
  if (other !== null) lines.push(svg("circle", { class: "other", cx: at(other), cy: 9, r: 3.5 }));
  return el(
    "span",
    { class: "track" },
    svg("svg", { "aria-hidden": "true", height: 18 }, lines),
    el("span", { class: "end" }, min === 0 && max === 1 ? "1" : short(max)),
  );
}

function comparison({ name, verdict, reason, differences }) {
  const table = el(
    "table",
    { class: "figures differences" },
    el(
      "thead",
      null,
      el(
        "tr",
        null,
        ["", "here", name, "difference", "95 % interval", ""].map((head, i) =>
          el(head ? "th" : "td", { scope: head ? "col" : null, class: i ? "number" : null }, head),
        ),
      ),
    ),
    el(
      "tbody",
      null,
      differences.map((entry) => {
        const it = estimate(entry.difference),
          better = entry.scale === "loss" ? -1 : 1;
        const sure = it.low !== null && it.low * it.high > 0;
        const kind = !sure ? "undecided" : it.value * better > 0 ? "better" : "worse";
        return el(
          "tr",
          null,
          el("th", { scope: "row" }, entry.name),
          el("td", { class: "number" }, fixed(entry.value, 4)),
          el("td", { class: "number" }, fixed(entry.baseline, 4)),
          el("td", { class: `number value ${kind}` }, signed(it.value, 4)),
          el(
            "td",
            { class: "number interval" },
            it.low === null ? "" : `${signed(it.low, 4)} to ${signed(it.high, 4)}`,
          ),
          el("td", { class: "drawn" }, aroundZero(it, kind)),
        );
      }),
    ),
  );
  return el(
    "div",
    { class: "comparison" },
    el("h3", { class: verdict }, `${VERDICTS[verdict]} ${name}`),
    el("p", { class: "reason" }, reason),
    differences.length
      ? figure(
          `Differences to ${name}, each on a scale of its own with zero in the middle. A bar that ` +
            "does not reach zero is a difference that the rows support.",
          el("div", { class: "wide" }, table),
        )
      : null,
  );
}

function aroundZero({ value, low, high }, kind) {
  const most = Math.max(...[value, low, high].map((end) => Math.abs(end ?? 0))) || 1;
  const at = (number) => `${(50 + (number / most) * 48).toFixed(2)}%`;
  return svg(
    "svg",
    { "aria-hidden": "true", height: 18, class: kind },
    svg("line", { class: "rail", x1: 0, x2: "100%", y1: 9, y2: 9 }),
    svg("line", { class: "zero", x1: "50%", x2: "50%", y1: 0, y2: 18 }),
    low === null ? null : svg("line", { class: "reach", x1: at(low), x2: at(high), y1: 9, y2: 9 }),
    svg("line", { class: "point", x1: at(value), x2: at(value), y1: 3, y2: 15 }),
  );
}

function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return Number(
    (
      power * [1, 1.5, 2, 3, 5, 7.5, 10].find((factor) => factor * power >= value * 1.02 || factor === 10)
    ).toPrecision(3),
  );
}
