// The samples of one cell, and how a sample is shown anywhere on the page.

const BATCH = 48;

/**
 * Shows a cell's samples in `side`; `back()` puts there what was before. Who came by a button that
 * is gone then gets the focus `here`.
 */
function cellSamples(side, support, back) {
  return (cell, here = false) => {
    const { truth, predicted, count: n } = cell,
      right = truth === predicted;
    const heading = el(
      "h3",
      { tabindex: -1 },
      right ? `${nameOf(truth)}, right` : `${nameOf(truth)} taken for ${nameOf(predicted)}`,
    );
    const rows = rowsOf(truth, predicted);
    side.replaceChildren(
      el(
        "div",
        { class: "side-head" },
        button(
          "← Most frequent mistakes",
          () => {
            back();
            side.querySelector("button")?.focus();
          },
          { class: "link" },
        ),
      ),
      heading,
      el(
        "p",
        { class: "facts" },
        `${count(n)} of ${plural(support[truth], "row")}, ${percent(support[truth] ? n / support[truth] : null)}` +
          (rows.length > 1 ? `; ${right ? "least" : "most"} confident first` : ""),
      ),
      page.samples ? sampleList(rows) : el("p", { class: "note" }, "The page was made without samples."),
    );
    side.dataset.truth = truth;
    side.dataset.predicted = predicted;
    if (here) heading.focus();
    side.scrollIntoView({ block: "nearest" });
  };
}

/** Rows of the cell: of mistakes the surest first, of right rows the least sure. */
function rowsOf(truth, predicted) {
  const { samples } = page,
    found = [];
  samples?.truth.forEach(
    (label, row) => label === truth && samples.predicted[row] === predicted && found.push(row),
  );
  const sign = truth === predicted ? 1 : -1;
  return found.sort((a, b) => sign * (samples.confidence[a] - samples.confidence[b]) || a - b);
}

function sampleList(rows) {
  const { ids, confidence } = page.samples,
    pictured = rows.some((row) => thumbnails[ids[row]]);
  const list = el("ul", { class: pictured ? "gallery" : "ids" });
  const more = button("", () => add(), { class: "more" });
  let shown = 0;
  const add = () => {
    for (const row of rows.slice(shown, shown + BATCH)) {
      list.append(
        el(
          "li",
          { "data-id": ids[row] },
          pictured ? picture(ids[row]) : null,
          quoted(ids[row]),
          el("span", { class: "confidence" }, fixed(confidence[row], 3)),
          idText(ids[row]),
        ),
      );
    }
    shown = Math.min(rows.length, shown + BATCH);
    more.hidden = shown >= rows.length;
    more.textContent = `${count(rows.length - shown)} more`;
  };
  add();
  return el(
    "div",
    { class: "samples" },
    list,
    el("p", { class: "controls" }, more, rows.length ? copyButton(() => rows.map((row) => ids[row])) : null),
  );
}

const picture = (id) =>
  thumbnails[id]
    ? el("img", { src: thumbnails[id], alt: "", loading: "lazy" })
    : el("span", { class: "no-picture" });

/** A sample's text, where the page has it. */
const quoted = (id) => (texts[id] === undefined ? null : el("span", { class: "text" }, texts[id]));

/** An id, its folders less prominent than its name. */
function idText(id) {
  const cut = id.lastIndexOf("/") + 1;
  return el(
    "span",
    { class: "id", title: id },
    el("span", { class: "folder" }, breakable(id.slice(0, cut))),
    breakable(id.slice(cut)),
  );
}

/** Text that breaks after the marks that names are made with. */
const breakable = (text) => text.split(/(?<=[/_.])/).flatMap((part) => [part, el("wbr")]);

/** Puts ids on the clipboard, one a line: for relabelling, or for looking at them elsewhere. */
function copyButton(ids) {
  const copy = button("Copy ids", async () => {
    const text = ids().join("\n");
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      // A page opened from a file may not be allowed to: then the text is there to be taken.
      const area = el("textarea", { class: "copied", rows: 6, readonly: true, "aria-label": "Ids" });
      area.value = text;
      copy.replaceWith(area);
      area.select();
    }
  });
  return copy;
}
