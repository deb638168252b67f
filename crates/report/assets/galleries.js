// Samples worth a look: as cards, with pictures where there are any.

const SHOWN = 24;

function mistakesSection(host) {
  const { mistakes } = page;
  host.append(
    lead(
      page.outputs === "class"
        ? "Wrong, and sure of it: often a wrong label, or something that the features do not see."
        : "The rows of highest loss: often what is said to be so is not, or the features do not see it.",
    ),
    gallery(
      mistakes,
      ({ sample }) => [sample],
      ({ sample, predicted, score }) => [
        verdictLine(sample.truth, predicted, "is", page.outputs === "class" ? "taken for" : "predicted"),
        el(
          "span",
          { class: "confidence", title: page.outputs === "class" ? "Confidence" : "Loss" },
          fixed(score, 3),
        ),
      ],
    ),
  );
}

function mislabelsSection(host) {
  host.append(
    lead(
      {
        class: "The label that the sample has, and the one that the other samples suggest; most suspect first.",
        label: "The labels that the sample has, and those that the other samples suggest; most suspect first.",
        number: "The number that the sample has, and the one that a fit without it expects; farthest first.",
      }[page.outputs],
    ),
    gallery(
      page.mislabels,
      ({ sample }) => [sample],
      ({ sample, suggested, score }) => [
        verdictLine(sample.truth, suggested, "has", page.outputs === "number" ? "expected" : "perhaps"),
        el("span", { class: "confidence", title: "Score" }, fixed(score, 3)),
      ],
    ),
  );
}

function duplicatesSection(host) {
  const other = page.duplicates.filter(({ left, right }) => left.truth !== right.truth).length;
  const leaks = page.duplicates.filter(({ left, right }) => left.split !== right.split).length;
  host.append(
    lead(
      `${plural(page.duplicates.length, "pair")} of nearly the same sample, ${leaks ? count(leaks) : "none"} on both sides of a ` +
        `split${leaks ? ": what is measured on those is memory, not generalisation" : ""}.${other ? ` ${plural(other, "pair")} bear${other === 1 ? "s" : ""} two different labels.` : ""}`,
    ),
    gallery(
      page.duplicates,
      ({ left, right }) => [left, right],
      ({ left, right, similarity }) => [
        left.truth === right.truth
          ? el("span", { class: "verdict-line" }, left.truth)
          : verdictLine(left.truth, right.truth, "", ""),
        el("span", { class: "confidence", title: "Similarity" }, fixed(similarity, 4)),
      ],
      "pairs",
    ),
  );
}

const verdictLine = (from, to, before = "is", after = "taken for") =>
  el(
    "span",
    { class: "verdict-line" },
    before ? el("small", null, `${before} `) : null,
    from,
    after ? el("br") : " / ",
    after ? el("small", null, `${after} `) : null,
    to,
  );

/** Cards; with pictures where any of the samples has one. */
function gallery(entries, samplesOf, words, kind = "") {
  const pictured = entries.some((entry) => samplesOf(entry).some(({ id }) => thumbnails[id]));
  const list = el("ul", { class: `cards ${kind} ${pictured ? "pictured" : ""}` }),
    more = button("", () => add(), { class: "more" });
  let shown = 0;
  const add = () => {
    for (const entry of entries.slice(shown, shown + SHOWN)) {
      const samples = samplesOf(entry);
      list.append(
        el(
          "li",
          null,
          pictured
            ? el(
                "div",
                { class: "pictures" },
                samples.map(({ id }) => picture(id)),
              )
            : null,
          samples.map(({ id }) => quoted(id)),
          el("div", { class: "words" }, words(entry)),
          samples.map(({ id, split }) =>
            el("div", { class: "source" }, split ? el("small", { class: "split" }, split) : null, idText(id)),
          ),
        ),
      );
    }
    shown = Math.min(entries.length, shown + SHOWN);
    more.hidden = shown >= entries.length;
    more.textContent = `${count(entries.length - shown)} more`;
  };
  add();
  return el(
    "div",
    null,
    list,
    el(
      "p",
      { class: "controls" },
      more,
      copyButton(() => entries.flatMap(samplesOf).map(({ id }) => id)),
    ),
  );
}
