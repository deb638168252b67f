// What more rows would bring, and how a setting was chosen.

function learningSection(host) {
  const { rows, fractions = [], metrics } = page.learning;
  host.append(
    el(
      "div",
      { class: "plates" },
      metrics.map((metric) => {
        const held = metric.held_out.map(estimate),
          train = (metric.train ?? []).map(estimate);
        const of = (values) =>
          values.map((it, i) => ({ x: rows[i], y: it.value, low: it.low, high: it.high }));
        const points = held.map((it, i) => ({
          x: rows[i],
          y: it.value,
          text:
            `${plural(rows[i], "row")}${fractions[i] !== undefined ? ` (${percent(fractions[i])})` : ""}: ` +
            `${metric.name} ${fixed(it.value, 4)}${it.low === null ? "" : ` (${range(it, 4)})`} held out${train[i] ? `, ${fixed(train[i].value, 4)} fitted` : ""}`,
        }));
        return figure(
          `${capital(metric.name)} over the rows fitted. ${promise(rows, held, metric.scale)}`,
          plot({
            label: `Learning curve, ${metric.name}. ${points.map((point) => point.text).join(". ")}.`,
            points,
            x: { ...across(rows), title: "rows fitted" },
            y: { ...extent([...held, ...train], metric.scale), title: metric.name },
            draw: (pen) => twoSeries(pen, of(train), of(held)),
          }),
          key(train.length),
        );
      }),
    ),
  );
}

/** What the last rows brought, measured from the point nearest to half of them. */
function promise(rows, held, scale) {
  const last = rows.length - 1;
  if (last < 1) return "";
  const half = rows.reduce(
    (best, n, i) =>
      i < last && Math.abs(Math.log(n / (rows[last] / 2))) < Math.abs(Math.log(rows[best] / (rows[last] / 2)))
        ? i
        : best,
    0,
  );
  const change = held[last].value - held[half].value,
    better = scale === "loss" ? change < 0 : change > 0;
  const apart =
    held[last].low !== null && (held[last].low > held[half].high || held[last].high < held[half].low);
  return (
    `From ${count(rows[half])} to ${plural(rows[last], "row")} it changed by ${signed(change, 4)}` +
    `${apart ? (better ? ": more rows would likely help further" : ": it got worse") : ", which the intervals do not tell from none"}.`
  );
}

function sweepSection(host) {
  const { parameter, metric, scale, values, chosen } = page.sweep;
  const held = page.sweep.held_out.map(estimate),
    train = (page.sweep.train ?? []).map(estimate);
  const of = (series) => series.map((it, i) => ({ x: values[i], y: it.value, low: it.low, high: it.high }));
  const points = held.map((it, i) => ({
    x: values[i],
    y: it.value,
    text:
      `${parameter} ${short(values[i])}: ${metric} ${fixed(it.value, 4)}` +
      `${it.low === null ? "" : ` (${range(it, 4)})`} held out${train[i] ? `, ${fixed(train[i].value, 4)} fitted` : ""}${i === chosen ? "; chosen" : ""}`,
  }));
  const edge = values.length > 2 && (chosen === 0 || chosen === values.length - 1);
  host.append(
    edge
      ? lead("The choice lies at the end of the range that was tried: something beyond it may be better.")
      : "",
    figure(
      `${capital(metric)} over ${parameter}; the vertical line is the choice, ${short(values[chosen])}.`,
      plot({
        label: `Sweep of ${parameter}. ${points.map((point) => point.text).join(". ")}.`,
        points,
        x: { ...across(values), title: parameter },
        y: { ...extent([...held, ...train], scale), title: metric },
        draw: (pen) => {
          pen.rule(values[chosen], "chosen");
          twoSeries(pen, of(train), of(held));
        },
      }),
      key(train.length),
    ),
  );
}

/** A logarithmic axis; a 0 among the values stands a decade before the least of the others. */
function across(values) {
  const positive = values.filter((value) => value > 0),
    least = Math.min(...positive),
    most = Math.max(...positive);
  if (!positive.length) return { min: 0, max: 1 };
  const zero = positive.length < values.length ? least / 10 : null,
    air = (most / (zero ?? least)) ** 0.03 || 1.1;
  return { log: true, zero, min: (zero ?? least) / Math.max(air, 1.02), max: most * Math.max(air, 1.02) };
}

function twoSeries(pen, train, held) {
  pen.line(train, "other");
  for (const { x, y } of train) pen.dot(x, y, "hollow");
  pen.band(held, "band");
  pen.line(held, "here");
  for (const { x, y, low, high } of held) {
    pen.whisker(x, low, high, "whisker");
    pen.dot(x, y, "here");
  }
}

const key = (train) =>
  train
    ? el(
        "p",
        { class: "key" },
        el("span", { class: "here" }, "held out"),
        el("span", { class: "other" }, "fitted"),
      )
    : null;

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
