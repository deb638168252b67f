// One row of figures a class.

function classesSection(host) {
  const { support, columns } = page.class_table,
    rows = classes.map((_, i) => i);
  const axis = ({ scale, estimates }) =>
    AXES[scale] ?? { min: 0, max: Math.max(...estimates.map((entry) => estimate(entry).value ?? 0)) || 1 };
  const weakest = columns.find(({ name }) => /^f1/i.test(name)) ?? columns[0];
  const table = sortable({
    label: `Figures of each ${page.outputs}`,
    rows,
    words: (i) => classes[i],
    columns: [
      { name: page.outputs, text: true, key: (i) => classes[i], cell: classButton },
      { name: "rows", key: (i) => support[i], cell: (i) => count(support[i]) },
      ...columns.map((column) => {
        const ends = axis(column);
        return {
          name: column.name,
          key: (i) => estimate(column.estimates[i]).value,
          cell: (i) => gauge(column.estimates[i], ends, 3),
        };
      }),
    ],
    sorted: weakest && { name: weakest.name, rising: weakest.scale !== "loss" },
  });
  focus.follow(table.mark);
  host.append(
    weakest ? classesLead(weakest) : "",
    figure(
      `Figures of each ${page.outputs}; bars are 95 % intervals on the whole of their scale. A ${page.outputs}'s name ` +
        "puts it in focus everywhere.",
      table.element,
    ),
  );
}

function classesLead({ name, scale, estimates }) {
  const sign = scale === "loss" ? -1 : 1,
    known = estimates.map((entry, i) => [estimate(entry).value, i]).filter(([value]) => value !== null);
  if (known.length < 2) return "";
  known.sort((a, b) => sign * (a[0] - b[0]));
  const middle = known[Math.floor(known.length / 2)][0],
    worst = known.slice(0, 3);
  return lead(
    `The median ${page.outputs} has ${name} ${fixed(middle, 3)}; lowest are `.replace(
      "lowest",
      sign > 0 ? "lowest" : "highest",
    ),
    worst.flatMap(([value, i], place) => [
      place ? (place === worst.length - 1 ? " and " : ", ") : "",
      classButton(i),
      ` ${fixed(value, 3)}`,
    ]),
    ".",
  );
}
