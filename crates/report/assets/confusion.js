// The section on confusions: the matrix, its order, and the most frequent mistakes.

const FREQUENT = 12;

function confusionSection(host) {
  const { cells } = page.confusion;
  const support = new Array(classes.length).fill(0),
    right = new Array(classes.length).fill(0);
  for (const [truth, predicted, n] of cells) {
    support[truth] += n;
    if (truth === predicted) right[truth] += n;
  }
  const mistakes = cells.filter(([truth, predicted, n]) => truth !== predicted && n > 0);
  const wrong = mistakes.reduce((sum, [, , n]) => sum + n, 0),
    total = support.reduce((sum, n) => sum + n, 0);
  const readout = el("p", { class: "readout", "aria-live": "polite" });
  const say = (cell) => (readout.textContent = cell ? sentence(cell, support) : HINT);
  const side = el("div", { class: "side" });
  const samples = cellSamples(side, support, () => {
    grid.point(null);
    say(null);
    frequentList(side, mistakes, support, open);
  });
  const most = mistakes.reduce((largest, [truth, , n]) => Math.max(largest, n / support[truth]), 0);
  const grid = matrix({
    cells,
    support,
    most,
    hover: (cell) => say(cell),
    pick: (cell) => {
      say(cell);
      samples(cell);
    },
  });
  const open = (cell) => {
    grid.point(cell);
    say(cell);
    samples(cell, true);
  };
  const orders = {
    similar: () => order,
    given: () => classes.map((_, i) => i),
    name: () =>
      classes.map((_, i) => i).sort((a, b) => classes[a].localeCompare(classes[b], "en", { numeric: true })),
    recall: () =>
      classes
        .map((_, i) => i)
        .sort((a, b) => right[a] / (support[a] || 1) - right[b] / (support[b] || 1) || a - b),
  };
  const by = choice(
    "Order",
    [
      ["similar", "what is confused, together"],
      ["given", "as the head has it"],
      ["name", "by name"],
      ["recall", "by recall, worst first"],
    ],
    (value) => grid.arrange(orders[value]()),
  );
  const which =
    classes.length > 1
      ? choice("Class", [["", "none in focus"], ...classes.map((name, i) => [i, name])], (value) =>
          focus.set(value === "" ? null : Number(value)),
        )
      : null;
  focus.follow((index) => which && (which.select.value = index ?? ""));
  host.append(
    lead(
      wrong === 0
        ? "No row is wrong."
        : `${plural(wrong, "row")} of ${count(total)} ${wrong === 1 ? "is" : "are"} wrong (${percent(wrong / total)}), in ` +
            `${plural(mistakes.length, "pair")} of classes${concentration(mistakes, wrong)}.`,
    ),
    el("div", { class: "controls" }, by.element, which?.element, grid.buttons),
    el(
      "div",
      { class: "beside" },
      figure(
        "Rows are true classes, columns predicted ones. Blue: right; red: wrong; the deeper, the larger the share of the row's class, " +
          `by its square root; deepest is ${percent(1)} for blue${mistakes.length ? ` and ${percent(most)} for red` : ""}.`,
        grid.element,
        readout,
      ),
      side,
    ),
  );
  grid.arrange(orders.similar());
  say(null);
  frequentList(side, mistakes, support, open);
}

const HINT = "Point at a cell to read it; select one to list its samples.";

function sentence({ truth, predicted, count: n }, support) {
  const of = `${count(n)} of ${plural(support[truth], "row")} of ${nameOf(truth)} (${percent(support[truth] ? n / support[truth] : null)})`;
  return truth === predicted
    ? `${nameOf(truth)}: ${of} right`
    : `${nameOf(truth)} → ${nameOf(predicted)}: ${of}`;
}

/** Whether few pairs make most of the mistakes. */
function concentration(mistakes, wrong) {
  const sorted = mistakes.map(([, , n]) => n).sort((a, b) => b - a);
  let sum = 0,
    pairs = 0;
  while (sum < wrong / 2) sum += sorted[pairs++];
  return sorted.length > 3 ? `; half of them in ${plural(pairs, "pair")}` : "";
}

function frequentList(side, mistakes, support, open) {
  const sorts = {
    count: (a, b) => b[2] - a[2] || b[2] / support[b[0]] - a[2] / support[a[0]],
    share: (a, b) => b[2] / support[b[0]] - a[2] / support[a[0]] || b[2] - a[2],
  };
  const list = el("ol", { class: "frequent" }),
    more = button("More", () => show((shown += 4 * FREQUENT)));
  let shown = FREQUENT,
    sorted = [];
  const show = () => {
    list.replaceChildren(
      ...sorted
        .slice(0, shown)
        .map(([truth, predicted, n]) =>
          el(
            "li",
            null,
            el(
              "button",
              { type: "button", class: "pair", onclick: () => open({ truth, predicted, count: n }) },
              el(
                "span",
                { class: "names" },
                nameOf(truth),
                el("span", { class: "arrow" }, " → "),
                nameOf(predicted),
              ),
              el("span", { class: "amount" }, count(n), el("small", null, ` of ${count(support[truth])}`)),
              el("span", { class: "amount" }, percent(n / support[truth])),
            ),
          ),
        ),
    );
    more.hidden = shown >= sorted.length;
  };
  const by = choice(
    "By",
    [
      ["count", "count"],
      ["share", "share of the class"],
    ],
    (value) => {
      sorted = [...mistakes].sort(sorts[value]);
      show();
    },
  );
  sorted = [...mistakes].sort(sorts.count);
  show();
  side.replaceChildren(
    ...(mistakes.length
      ? [el("div", { class: "side-head" }, el("h3", null, "Most frequent mistakes"), by.element), list, more]
      : []),
  );
}
