// The report in a real browser: node report.mjs [PAGE.html] [--shots DIR]
//
// Opens a page that the crate `report` rendered (without one, its example, by cargo) and fails on
// any error that the console shows, on any request, and where what one does has not the result that
// the page's own data say. Needs a Chromium: $CHROMIUM, or one on the PATH.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const { file, shots, scratch } = options(process.argv.slice(2));
const browser = await chromium.launch({
  executablePath: executable(),
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  const page = await open();
  await step("a cell lists its own samples", page, ["confusion"], cellListsItsSamples);
  await step("keys reach the matrix", page, ["confusion"], keysReachTheMatrix);
  await step("the class table sorts and filters", page, ["classes"], tableSorts);
  await step("a class is in focus everywhere", page, ["classes", "curves", "map"], classInFocus);
  await step("light turns dark and back", page, ["map"], lightTurnsDark);
  await step("a telephone's width is enough", page, [], narrow);
} finally {
  await browser.close();
  if (scratch) rmSync(scratch, { recursive: true });
}

async function open() {
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1440, height: 1000 } });
  const page = await context.newPage(),
    url = pathToFileURL(file).href,
    wrong = [];
  page.on(
    "console",
    (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()),
  );
  page.on("pageerror", (error) => wrong.push(error.stack));
  page.on(
    "request",
    (request) =>
      request.url() === url || request.url().startsWith("data:") || wrong.push(`asked for ${request.url()}`),
  );
  page.wrong = wrong;
  const start = Date.now();
  await page.goto(url);
  await page.waitForSelector("html[data-ready]", { timeout: 60_000 });
  console.log(`all sections after ${Date.now() - start} ms`);
  await shot(page, "light");
  return page;
}

/** Acts where the page has the sections that it takes. */
async function step(name, page, sections, act) {
  for (const id of sections) {
    if (!(await page.locator(`#${id}`).count())) return console.log(`skipped, no section ${id}: ${name}`);
  }
  const start = Date.now();
  await act(page);
  quiet(page);
  console.log(`ok: ${name} (${Date.now() - start} ms)`);
}

/** What the page was made from. */
function data(page) {
  return page.evaluate(() => JSON.parse(document.getElementById("data").textContent).page);
}

/** Nothing has gone wrong so far. */
function quiet(page) {
  assert.deepEqual(page.wrong, []);
}

/** Points around until a cell of mistakes is read out, selects it, and compares what is listed. */
async function cellListsItsSamples(page) {
  const canvas = page.locator("#confusion .over"),
    { classes, samples } = await data(page);
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox(),
    readout = page.locator("#confusion figure .readout");
  // Near the diagonal first, where mistakes are.
  const places = Array.from({ length: 40 * 40 }, (_, at) => [at % 40, Math.floor(at / 40)]);
  places.sort((a, b) => Math.abs(a[0] - a[1]) - Math.abs(b[0] - b[1]));
  let pair = null;
  for (const [column, row] of places) {
    const x = box.x + (box.width * (column + 0.5)) / 40,
      y = box.y + (box.height * (row + 0.5)) / 40;
    if (pair) break;
    await page.mouse.move(x, y);
    const [, truth, predicted, many] =
      (await readout.textContent()).match(/^(.+) → (.+): ([\d,]+) of /) ?? [];
    if (many && many !== "0") pair = { x, y, truth, predicted, many: Number(many.replaceAll(",", "")) };
  }
  assert.ok(pair, "no cell of mistakes was read out");
  await page.mouse.click(pair.x, pair.y);
  await shot(page, "cell");
  const more = page.locator("#confusion .samples .more");
  while (await more.isVisible()) await more.click();
  const listed = await page
    .locator("#confusion .samples [data-id]")
    .evaluateAll((items) => items.map((item) => item.dataset.id));
  const [truth, predicted] = [classes.indexOf(pair.truth), classes.indexOf(pair.predicted)];
  const rows = samples.ids
    .map((_, row) => row)
    .filter((row) => samples.truth[row] === truth && samples.predicted[row] === predicted);
  rows.sort((a, b) => samples.confidence[b] - samples.confidence[a] || a - b);
  assert.equal(rows.length, pair.many);
  assert.deepEqual(
    listed,
    rows.map((row) => samples.ids[row]),
  );
}

async function keysReachTheMatrix(page) {
  const { classes, confusion } = await data(page);
  const most = Math.max(...confusion.cells.filter(([t, p]) => t !== p).map(([, , n]) => n));
  await page.locator("#confusion .over").focus();
  for (const key of ["m", "Enter"]) await page.keyboard.press(key);
  const [, truth, predicted] = (await page.locator("#confusion .side h3").textContent()).match(
    /^(.+) taken for (.+)$/,
  );
  const cell = confusion.cells.find(([t, p]) => classes[t] === truth && classes[p] === predicted);
  assert.equal(cell[2], most);
  for (const key of ["+", "ArrowRight", "ArrowDown", "0"]) await page.keyboard.press(key);
}

async function tableSorts(page) {
  const { classes, class_table } = await data(page),
    values = class_table.columns[1].estimates.map((entry) => [entry].flat()[0]);
  const head = page.locator("#classes thead th").nth(3),
    cells = page.locator("#classes tbody td:nth-child(4)");
  for (const [order, end] of [
    ["descending", Math.max(...values)],
    ["ascending", Math.min(...values)],
  ]) {
    await head.locator("button").click();
    assert.equal(await head.getAttribute("aria-sort"), order);
    const shown = (await cells.allTextContents()).map(Number);
    assert.equal(shown[0], Number(end.toFixed(3)));
    assert.deepEqual(
      shown,
      [...shown].sort((a, b) => (order === "ascending" ? a - b : b - a)),
    );
  }
  const filter = page.locator("#classes input[type=search]");
  if (await filter.count()) {
    await filter.fill(classes.at(-1));
    const names = await page.locator("#classes tbody th").allTextContents();
    assert.ok(names.length > 0 && names.every((name) => name.includes(classes.at(-1))), String(names));
    await filter.fill("");
  }
  await shot(page, "classes", "#classes");
}

async function classInFocus(page) {
  const link = page.locator("#classes tbody th button").first(),
    name = await link.textContent(),
    { classes } = await data(page);
  await link.click();
  assert.equal(await page.locator(".focus-bar b").textContent(), name);
  assert.equal(await page.locator("#curves select").inputValue(), String(classes.indexOf(name)));
  assert.equal(await page.locator("#map .legend [aria-pressed=true] .names").textContent(), name);
  await shot(page, "focus-map", "#map");
  await shot(page, "focus-curves", "#curves");
  await page.locator(".focus-bar button").click();
  assert.equal(await page.locator(".focus-bar").isVisible(), false);
}

async function lightTurnsDark(page) {
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const canvas = async () => (await page.locator("#map canvas").screenshot()).toString("base64");
  const toggle = page.locator("button.theme"),
    light = [await paper(), await canvas()];
  await toggle.click();
  await page.waitForTimeout(200);
  const dark = [await paper(), await canvas()];
  assert.ok(light[0] !== dark[0] && light[1] !== dark[1]);
  await shot(page, "dark");
  await toggle.click();
  await page.waitForTimeout(200);
  assert.ok((await paper()) === light[0] && (await canvas()) === light[1]);
}

async function narrow(page) {
  await page.setViewportSize({ width: 360, height: 780 });
  await page.waitForTimeout(400);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  await shot(page, "narrow");
}

/** The whole page, or one part of it. */
async function shot(page, name, part) {
  if (!shots) return;
  const target = part ? page.locator(part) : page;
  await target.screenshot({ path: path.join(shots, `${name}.png`), ...(part ? {} : { fullPage: true }) });
}

function options(args) {
  const at = args.indexOf("--shots"),
    shots = at < 0 ? null : args.splice(at, 2)[1];
  if (shots) mkdirSync(shots, { recursive: true });
  if (args[0]) return { file: path.resolve(args[0]), shots };
  const scratch = mkdtempSync(path.join(tmpdir(), "report-")),
    file = path.join(scratch, "page.html");
  const example = [
    "run",
    "--quiet",
    "--release",
    "--package",
    "headstart-report",
    "--example",
    "sample_page",
    "--",
    "small",
    file,
  ];
  execFileSync("cargo", example, { stdio: "inherit", cwd: import.meta.dirname });
  return { file, shots, scratch };
}

function executable() {
  const folders = (process.env.PATH ?? "").split(path.delimiter),
    names = ["chromium", "chromium-browser", "google-chrome"];
  const candidates = [
    process.env.CHROMIUM,
    ...names.flatMap((name) => folders.map((folder) => path.join(folder, name))),
  ];
  const found = candidates.find((candidate) => {
    try {
      return candidate && (accessSync(candidate, constants.X_OK), true);
    } catch {
      return false;
    }
  });
  if (!found) throw new Error("no Chromium: put one on the PATH, or name it in CHROMIUM");
  return found;
}
