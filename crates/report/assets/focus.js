// One class at a time is in focus, in every figure at once.

const focus = {
  class: null,
  followers: [],

  /** Calls `follow` with the class, or null, whenever that changes. */
  follow(follow) {
    this.followers.push(follow);
  },

  set(index) {
    if (index === this.class) return;
    this.class = index;
    for (const follow of this.followers) follow(index);
  },

  toggle(index) {
    this.set(index === this.class ? null : index);
  },
};

/** A class's name that puts it in focus. */
const classButton = (index) =>
  button(nameOf(index), () => focus.toggle(index), {
    class: "link",
    title: `Show this ${page.outputs} in every figure`,
  });

/** A bar that says which class is in focus, for as long as one is. */
function focusBar() {
  const name = el("b"),
    where = el("span", { class: "where" });
  const bar = el(
    "div",
    { class: "focus-bar", hidden: true, role: "status" },
    el("span", null, "In focus: "),
    name,
    where,
    button("Clear", () => focus.set(null)),
  );
  const places = [
    ["confusion", "confusions"],
    ["curves", "curves"],
    ["classes", "table"],
    ["map", "map"],
  ];
  // A map of labels or numbers shows one that is chosen there.
  const present = places.filter(([id]) => section(id) && (id !== "map" || page.samples));
  where.append(...present.map(([id, text]) => el("a", { href: `#${id}` }, text)));
  focus.follow((index) => {
    bar.hidden = index === null;
    if (index !== null) name.textContent = nameOf(index);
  });
  return bar;
}
