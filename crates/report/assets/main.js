// Fills the sections in, one after the other, so that the first can be read at once.

const SECTIONS = {
  summary: summarySection,
  confusion: confusionSection,
  calibration: calibrationSection,
  curves: curvesSection,
  classes: classesSection,
  values: valuesSection,
  learning: learningSection,
  sweep: sweepSection,
  mistakes: mistakesSection,
  mislabels: mislabelsSection,
  duplicates: duplicatesSection,
  map: mapSection,
  slices: slicesSection,
  lineage: lineageSection,
};

/** Figures are numbered as they stand. */
function numberFigures() {
  document
    .querySelectorAll(".figure-number")
    .forEach((number, i) => (number.textContent = `Figure ${i + 1}.`));
}

function themeButton() {
  const toggle = button(
    "",
    () => {
      setTheme(isDark() ? "light" : "dark");
      name();
    },
    { class: "theme" },
  );
  const name = () => {
    toggle.textContent = isDark() ? "Light" : "Dark";
    toggle.setAttribute("aria-label", isDark() ? "Light colours" : "Dark colours");
  };
  name();
  onTheme(name);
  return toggle;
}

/** Marks, in the contents, the section that is being read. */
function followReading() {
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries)
        links.get(target.id)?.setAttribute("aria-current", String(isIntersecting));
    },
    { rootMargin: "-30% 0px -65% 0px" },
  );
  document.querySelectorAll("main > section").forEach((part) => watch.observe(part));
}

// On paper, ink on white.
let onScreen = null;
addEventListener("beforeprint", () => {
  onScreen = isDark() ? "dark" : null;
  if (onScreen) setTheme("light");
});
addEventListener("afterprint", () => onScreen && setTheme(onScreen));

section("masthead").append(...masthead().filter(Boolean));
document.querySelector("header").append(themeButton());
document.body.append(focusBar());

const pending = Object.keys(SECTIONS).filter(section);
function next() {
  const id = pending.shift();
  if (id) {
    SECTIONS[id](section(id));
    setTimeout(next);
    return;
  }
  numberFigures();
  followReading();
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  document.documentElement.dataset.ready = "true";
}
next();
