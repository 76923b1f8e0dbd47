// Elements. Text goes into the page as text, whatever it holds: nothing here or elsewhere in the console
// reads markup.

/** An element with attributes, listeners (`onclick` and so on) and children. */
export function h(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== undefined && child !== null),
  );
  return element;
}

let ids = 0;

/** An id that no other element has. */
export function freshId() {
  ids += 1;
  return `e${ids}`;
}

/** Tells users of screen readers what happened. */
export function announce(text) {
  document.getElementById("announce").textContent = text;
}

/** A short word in a box of its own; `tone` is `ok`, `warn`, `bad` or nothing. */
export function chip(text, tone = "") {
  return h("span", { class: `chip ${tone}` }, text);
}

/** A message that stands out. */
export function notice(tone, ...children) {
  return h("div", { class: `notice ${tone}` }, ...children);
}

/** Names and what they stand for; what stands for nothing is left out. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null);
  const lines = shown.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  return lines.length === 0 ? null : h("dl", { class: "facts" }, lines);
}

/** A table that scrolls in a box of its own; one that is `whole` only sideways. */
export function table(label, columns, rows, whole = false) {
  const head = h(
    "tr",
    {},
    columns.map((column) => h("th", { scope: "col" }, column)),
  );
  const body = rows.map((row) =>
    h(
      "tr",
      {},
      row.map((cell) => h("td", {}, cell)),
    ),
  );
  return h(
    "div",
    { class: whole ? "scroll whole" : "scroll", role: "region", "aria-label": label, tabindex: 0 },
    h("table", {}, h("thead", {}, head), h("tbody", {}, body)),
  );
}

/** A moment of RFC 3339 as people here write it. */
export function moment(text) {
  const date = new Date(text);
  const shown = Number.isNaN(date.getTime())
    ? text
    : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  return h("time", { datetime: text }, shown);
}

/** The beginning of a digest: enough to tell versions apart. */
export function short(digest) {
  return digest.replace("sha256:", "").slice(0, 12);
}

/** A number of bytes in a unit that reads well. */
export function bytes(count) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${number(unit === 0 ? value : Number(value.toFixed(value < 10 ? 1 : 0)))} ${units[unit]}`;
}

/** A number with its thousands apart. */
export function number(value) {
  return value.toLocaleString("en");
}

/** `1 row`, `2 rows`. */
export function counted(count, word) {
  return `${number(count)} ${word}${count === 1 ? "" : "s"}`;
}
