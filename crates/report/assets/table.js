// Tables that can be sorted by any column and filtered by words.

/** Rows set at once; of longer tables the others follow as one scrolls. */
const SET = 100;

/**
 * A table of `rows`. `columns`: {name, key(row), cell(row), text}; `text` columns stand left and
 * sort upwards first. `words(row)` is what the filter looks in; without it there is none.
 * `sorted` {name, rising} is how it stands at first. What is returned: the `element`, and
 * `mark(row | null)`, which brings a row into view.
 */
function sortable({ label, columns, rows, words, sorted }) {
  const entries = rows.map((row) => ({ row, line: null })),
    body = el("tbody");
  const note = el("span", { class: "note", role: "status" });
  const heads = columns.map((column) =>
    el(
      "th",
      { scope: "col", class: column.text ? null : "number" },
      button(column.name, () => sortBy(column), { class: "sort" }),
    ),
  );
  const scroll = el(
    "div",
    {
      class: "scroll",
      tabindex: 0,
      role: "region",
      "aria-label": label,
      onscroll: () => {
        if (scroll.scrollTop + 2 * scroll.clientHeight > scroll.scrollHeight) set(body.rows.length + SET);
      },
    },
    el("table", { class: "sortable" }, el("thead", null, el("tr", null, heads)), body),
  );
  let by = null,
    rising = true,
    wanted = [],
    found = entries,
    marked = null;

  const lineOf = (entry) =>
    (entry.line ??= el(
      "tr",
      null,
      columns.map((column, i) =>
        el(
          i ? "td" : "th",
          { scope: i ? null : "row", class: column.text ? null : "number" },
          column.cell(entry.row),
        ),
      ),
    ));
  /** Has the first `many` of what is found set. */
  const set = (many) => {
    body.append(...found.slice(body.rows.length, many).map(lineOf));
    for (const { row, line } of entries) line?.classList.toggle("focused", row === marked);
  };
  const again = () => {
    found = entries.filter(({ row }) => wanted.every((word) => words(row).toLowerCase().includes(word)));
    note.textContent = wanted.length ? `${count(found.length)} of ${count(rows.length)}` : "";
    body.replaceChildren();
    set(SET);
    scroll.scrollTop = 0;
  };
  const sortBy = (column, up) => {
    rising = up ?? (by === column ? !rising : Boolean(column.text));
    by = column;
    heads.forEach((head, i) =>
      head.setAttribute("aria-sort", columns[i] === column ? (rising ? "ascending" : "descending") : "none"),
    );
    const keys = new Map(entries.map((entry) => [entry, column.key(entry.row)]));
    const compare = new Intl.Collator("en", { numeric: true }).compare;
    entries.sort((a, b) => {
      const left = keys.get(a),
        right = keys.get(b);
      // What is not defined comes last either way.
      if (left === null || right === null) return (left === null) - (right === null);
      const difference = typeof left === "string" ? compare(left, right) : left - right;
      return rising ? difference : -difference;
    });
    again();
  };
  const mark = (row) => {
    marked = row;
    const at = found.findIndex((entry) => entry.row === row);
    set(at + 1);
    if (at >= 0) scroll.scrollTop = found[at].line.offsetTop - scroll.clientHeight / 3;
  };

  if (sorted)
    sortBy(
      columns.find(({ name }) => name === sorted.name),
      sorted.rising,
    );
  else again();
  addEventListener("beforeprint", () => set(found.length));
  const search =
    words && rows.length > 12
      ? el(
          "label",
          { class: "control" },
          el("span", null, "Filter"),
          el("input", {
            type: "search",
            placeholder: "name",
            oninput: ({ target }) => {
              wanted = target.value.toLowerCase().split(/\s+/).filter(Boolean);
              again();
            },
          }),
          note,
        )
      : null;
  return { element: el("div", null, search && el("div", { class: "controls" }, search), scroll), mark };
}

/** A number with its interval drawn beside it, between `min` and `max`. */
function gauge(entry, { min, max }, digits, kind = "") {
  const { value, low, high } = estimate(entry);
  if (value === null) return el("span", { class: "gauge" }, DASH);
  const at = (number) => clamp((number - min) / (max - min), 0, 1);
  const from = at(low ?? value),
    to = at(high ?? value),
    width = to - from;
  const style =
    `--at:${(at(value) * 100).toFixed(1)}%;--wide:${(width * 100).toFixed(1)}%;` +
    `--from:${(width < 1 ? (from / (1 - width)) * 100 : 0).toFixed(1)}%`;
  const title = low === null ? null : `95 % within ${range({ low, high }, digits)}`;
  return el("span", { class: `gauge ${kind}`, style, title }, fixed(value, digits));
}
