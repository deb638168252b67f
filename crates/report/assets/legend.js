// Which colour a class has on the map, and the legend that puts classes in focus.

/** A colour for each class: of those least used by the classes around it, the first. */
function assignColours(truth, place) {
  const many = classes.length,
    of = classes.map((_, i) => i);
  if (many <= FEW.length) return { of, used: many };
  const used = 24;
  // Hues far from each other first, so that few classes do not get neighbouring ones.
  const places = Array.from({ length: used }, (_, i) => (i * 7) % used);
  if (many <= used) return { of: of.map((index) => places[index]), used };
  const sum = classes.map(() => [0, 0, 0]);
  truth.forEach((index, i) => {
    sum[index][0] += place.x[i];
    sum[index][1] += place.y[i];
    sum[index][2]++;
  });
  const middle = sum.map(([x, y, n]) => (n ? [x / n, y / n] : null));
  for (let index = 0; index < many; index++) {
    if (!middle[index]) continue;
    // How near each colour already is: the nearer, the worse.
    const near = new Array(used).fill(0);
    for (let other = 0; other < index; other++) {
      if (middle[other])
        near[of[other]] +=
          1 /
          ((middle[index][0] - middle[other][0]) ** 2 + (middle[index][1] - middle[other][1]) ** 2 + 1e-6);
    }
    of[index] = places.reduce((best, colour) => (near[colour] < near[best] ? colour : best), places[0]);
  }
  return { of, used };
}

function mapLegend(truth, { of }) {
  const sizes = new Array(classes.length).fill(0);
  for (const index of truth) sizes[index]++;
  const present = sizes.map((_, i) => i).filter((i) => sizes[i] > 0);
  const entries = present.map((index) => ({ index, swatch: el("span", { class: "swatch" }) }));
  const lines = entries.map(({ index, swatch }) =>
    el(
      "li",
      null,
      el(
        "button",
        { type: "button", "aria-pressed": "false", onclick: () => focus.toggle(index) },
        swatch,
        el("span", { class: "names" }, nameOf(index)),
        el("small", null, count(sizes[index])),
      ),
    ),
  );
  const search =
    present.length > 20
      ? el("input", {
          type: "search",
          placeholder: "Find a class",
          "aria-label": "Find a class",
          oninput: (event) => {
            const wanted = event.target.value.toLowerCase();
            lines.forEach((line, i) => (line.hidden = !nameOf(present[i]).toLowerCase().includes(wanted)));
          },
        })
      : null;
  const list = el("ul", null, lines);
  focus.follow((index) =>
    lines.forEach((line, i) => {
      line.firstChild.setAttribute("aria-pressed", String(present[i] === index));
      if (present[i] === index) list.scrollTop = line.offsetTop - list.offsetTop - list.clientHeight / 3;
    }),
  );
  return {
    element: el("div", { class: "legend" }, el("h3", null, "Classes"), search, list),
    colour: (set) =>
      entries.forEach(({ index, swatch }) => (swatch.style.background = css(set[of[index] % set.length]))),
  };
}
