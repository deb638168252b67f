// Parts of the split, and what everything was made from.

function slicesSection(host) {
  const { metrics, scales, overall, slices } = page.slices,
    all = { attribute: "all rows", value: "", estimates: overall, rows: page.summary.rows };
  const ends = metrics.map((_, m) => {
    const reach = [overall[m], ...slices.map((slice) => slice.estimates[m])]
      .map(estimate)
      .flatMap(({ value, low, high }) => [low ?? value, high ?? value])
      .filter((end) => end !== null);
    if (scales[m] === "loss") return { min: 0, max: roundUp(Math.max(...reach, 0)) || 1 };
    const least = scales[m] === "correlation" ? -1 : 0;
    return { min: Math.max(least, Math.floor(Math.min(...reach, 1) * 10) / 10 - 0.05), max: 1 };
  });
  // A part stands out where its interval leaves the whole split's value out.
  const kind = (entry, m) => {
    const it = estimate(entry),
      whole = estimate(overall[m]).value;
    return it.low === null || whole === null || (it.low <= whole && whole <= it.high)
      ? ""
      : it.value < whole === (scales[m] !== "loss")
        ? "worse"
        : "better";
  };
  const table = sortable({
    label: "Figures of parts of the split",
    rows: [all, ...slices],
    words: (slice) => `${slice.attribute} ${slice.value}`,
    columns: [
      {
        name: "part",
        text: true,
        key: (slice) => `${slice.attribute} ${slice.value}`,
        cell: (slice) => el("span", null, el("small", null, slice.attribute), " ", slice.value),
      },
      { name: "rows", key: (slice) => slice.rows, cell: (slice) => count(slice.rows) },
      ...metrics.map((name, m) => ({
        name,
        key: (slice) => estimate(slice.estimates[m]).value,
        cell: (slice) =>
          gauge(slice.estimates[m], ends[m], 3, slice === all ? "" : kind(slice.estimates[m], m)),
      })),
    ],
  });
  host.append(
    figure(
      "Parts of the split with 95 % intervals, on a common scale a column that need not begin at 0. Red and green: the interval leaves out the value of all rows, as one in twenty does by chance.",
      table.element,
    ),
  );
}

function lineageSection(host) {
  host.append(
    el(
      "div",
      { class: "lineage" },
      page.lineage.map(({ title, entries }) =>
        el(
          "div",
          null,
          el("h3", null, title),
          el(
            "dl",
            null,
            entries.map(({ key: name, value }) =>
              el("div", null, el("dt", null, name), el("dd", null, value)),
            ),
          ),
        ),
      ),
    ),
  );
}
