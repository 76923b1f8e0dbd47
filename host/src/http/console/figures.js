// Figures of the moment: how many calls, how many failed, how long they took, what is in use.

import * as api from "./api.js";
import { chart } from "./chart.js";
import { bytes, counted, h, notice, number, table } from "./dom.js";
import { percentile, since, sum, together } from "./series.js";

/** Time between two questions in milliseconds. */
const EVERY_MS = 2000;

/** Readings that are kept: three minutes. */
const KEPT = 90;

/** Readings between which counts are compared, so that few calls still make a line. */
const SPAN = 5;

/** The figures, which are asked for while they are shown. */
export function figuresView() {
  const readings = [];
  const pools = new Map();
  const calls = chart("Calls a second", KEPT, rate);
  const faults = chart("Faults a second", KEPT, rate);
  const time = chart("Time of a call, p50 and p99", KEPT, duration);
  const plans = chart("Plans from the cache", KEPT, share);
  const memory = chart("Memory", KEPT, bytes);
  const processor = chart("Processors", KEPT, rate);
  const general = [calls, faults, time, plans, memory, processor].map((one) => one.element);
  const unconnected = h("p", { class: "muted" }, "No connection was made yet.");
  const poolBox = h("div", { class: "charts" });
  const commands = table(
    "Commands",
    ["command", "calls", "faults", "p50", "p99", "plans from the cache", "outcomes"],
    [],
  );
  const uncalled = h("p", { class: "muted" }, "No call was made yet.");
  const said = h("div", { class: "said" });
  const element = h(
    "div",
    { class: "stack" },
    h("h1", { tabindex: -1 }, "Figures"),
    h("p", { class: "muted" }, "The last three minutes; tables count from the start on."),
    said,
    h("div", { class: "charts" }, general),
    h("h2", {}, "Connections to databases"),
    unconnected,
    poolBox,
    h("section", { class: "card" }, h("h2", {}, "Commands"), uncalled, commands),
  );
  let timer = null;
  let closed = false;

  async function ask() {
    try {
      if (!document.hidden || readings.length === 0) take(await api.figures());
      said.replaceChildren();
    } catch (error) {
      if (!closed) said.replaceChildren(notice("bad", error.message));
    }
    if (!closed) timer = setTimeout(ask, EVERY_MS);
  }

  function take(reading) {
    const last = readings.at(-1);
    // Counts that go down are those of a server that was started anew.
    if (last && reading.process.started_seconds !== last.process.started_seconds)
      readings.length = 0;
    readings.push(reading);
    if (readings.length > KEPT) readings.shift();
    draw();
  }

  function draw() {
    const now = readings.at(-1);
    const bounds = now.bucket_bounds_us;
    const changes = since(readings, SPAN);
    const line = (figure) => changes.map((change) => (change === null ? null : figure(change)));
    const newest = (values) => values.at(-1) ?? null;

    const perSecond = line((change) => change.rate((one) => one.calls.ended));
    calls.draw(
      [perSecond],
      rate(newest(perSecond)),
      `${number(now.calls.ended)} since the start, ${number(now.calls.in_progress)} under way`,
      1,
    );

    const failing = line((change) => change.rate((one) => one.calls.faults));
    faults.draw(
      [failing],
      rate(newest(failing)),
      `${number(now.calls.faults)} since the start, ${number(now.calls.turned_away)} turned away`,
      1,
    );

    const spread = line((change) =>
      change.buckets((one) => together(one.commands, (command) => command.duration.buckets)),
    );
    const [p50, p99] = [0.5, 0.99].map((part) =>
      spread.map((buckets) => (buckets === null ? null : percentile(buckets, bounds, part))),
    );
    time.draw([p50, p99], `${duration(newest(p50))} · ${duration(newest(p99))}`, "p99 is dashed");

    const hits = line((change) => {
      const [hit, missed] = [
        change.count((one) => one.plan_cache.hits),
        change.count((one) => one.plan_cache.misses),
      ];
      return hit + missed === 0 ? null : hit / (hit + missed);
    });
    const kept = now.plan_cache;
    plans.draw(
      [hits],
      share(newest(hits)),
      `${counted(kept.entries, "plan")}, ${bytes(kept.bytes)}`,
      1,
    );

    const resident = readings.map((one) => one.process.resident_bytes);
    memory.draw(
      [resident],
      bytes(newest(resident)),
      `${number(now.process.open_files)} open files`,
    );
    const busy = line((change) => change.rate((one) => one.process.cpu_seconds));
    processor.draw(
      [busy],
      newest(busy) === null ? "–" : newest(busy).toFixed(2),
      "in use by the server",
      1,
    );

    drawPools(now);
    const called = now.commands.filter((one) => one.calls > 0).sort((a, b) => b.calls - a.calls);
    commands.hidden = called.length === 0;
    uncalled.hidden = called.length > 0;
    commands.querySelector("tbody").replaceChildren(...called.map(row));
  }

  function drawPools(now) {
    // One that nobody uses is not worth a chart.
    for (const { database, most } of now.databases) {
      if (most === 0 || pools.has(database)) continue;
      const made = chart(database === "other" ? "connection strings" : database, KEPT, number);
      pools.set(database, made);
      poolBox.append(made.element);
    }
    unconnected.hidden = pools.size > 0;
    for (const [name, drawn] of pools) {
      const history = readings.map((one) => one.databases.find((pool) => pool.database === name));
      const pool = history.at(-1);
      if (pool === undefined) continue;
      const of = (figure) => history.map((one) => (one === undefined ? null : figure(one)));
      const notes = [
        `${number(pool.idle)} idle`,
        `${counted(pool.waiting, "call")} waiting (dashed)`,
        `${counted(pool.connect_failures, "connect")} failed`,
      ];
      if (pool.breaker_open) notes.push("connects are held back after failures");
      drawn.draw(
        [of((one) => one.in_use), of((one) => one.waiting)],
        `${number(pool.in_use)} of ${number(pool.most)}`,
        notes.join(", "),
        pool.most,
      );
    }
  }

  ask();
  return {
    element,
    title: "Figures",
    update: () => {},
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function row({
  connector,
  command,
  calls,
  faults,
  duration: took,
  plan_hits: hits,
  plan_misses: misses,
  outcomes,
}) {
  const words = Object.entries(outcomes).map(
    ([word, count]) => `${word.replaceAll("_", " ")} ${number(count)}`,
  );
  const cells = [
    `${connector}/${command}`,
    number(calls),
    number(faults),
    duration(took.p50_us),
    duration(took.p99_us),
    share(hits + misses === 0 ? null : hits / sum([hits, misses])),
    words.join(", "),
  ];
  return h(
    "tr",
    {},
    cells.map((cell) => h("td", {}, cell)),
  );
}

function rate(value) {
  if (value === null) return "–";
  return value < 10 ? value.toFixed(1) : number(Math.round(value));
}

function share(value) {
  return value === null ? "–" : `${(100 * value).toFixed(value === 1 ? 0 : 1)} %`;
}

function duration(us) {
  if (us === null) return "–";
  if (us < 1000) return `${Math.round(us)} µs`;
  return us < 1e6 ? `${(us / 1000).toFixed(us < 1e4 ? 1 : 0)} ms` : `${(us / 1e6).toFixed(1)} s`;
}
