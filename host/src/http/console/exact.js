// JSON that keeps the digits of numbers: those that JavaScript would round stay as they were written,
// where the browser can hold them (`JSON.rawJSON`).

const keepsDigits = typeof JSON.rawJSON === "function";

/** Reads JSON text. */
export function parse(text) {
  return JSON.parse(text, (_, value, context) => {
    const source = context?.source;
    const rounded =
      keepsDigits && typeof value === "number" && source !== undefined && String(value) !== source;
    return rounded ? JSON.rawJSON(source) : value;
  });
}

/** Whether a value has members. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isNumber(value);
}

/** Whether a value is a number. */
export function isNumber(value) {
  return typeof value === "number" || (keepsDigits && JSON.isRawJSON(value));
}

/** JSON text for people: on one line where there is room for it. */
export function format(value, indent = "") {
  const flat = inline(value);
  if (flat.length + indent.length <= 68 || !(Array.isArray(value) || isObject(value))) return flat;
  const deeper = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => format(item, deeper))
    : Object.entries(value).map(
        ([name, item]) => `${JSON.stringify(name)}: ${format(item, deeper)}`,
      );
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${parts.map((part) => deeper + part).join(",\n")}\n${indent}${close}`;
}

function inline(value) {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (isObject(value)) {
    const members = Object.entries(value);
    return `{${members.map(([name, item]) => `${JSON.stringify(name)}: ${inline(item)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** The text of an object with these members, each a name and JSON text. */
export function object(members) {
  if (members.length === 0) return "{}";
  const lines = members.map(
    ([name, text]) => `  ${JSON.stringify(name)}: ${text.replaceAll("\n", "\n  ")}`,
  );
  return `{\n${lines.join(",\n")}\n}`;
}

/** The text of an object with one more member in front. */
export function withMember(text, name, value) {
  const rest = text.trim().slice(1).trimStart();
  return `{${JSON.stringify(name)}: ${JSON.stringify(value)}${rest.startsWith("}") ? "" : ", "}${rest}`;
}

/** What a JSON Pointer leads to; undefined where that is nothing. */
export function at(value, pointer) {
  let here = value;
  for (const step of pointer.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    const has = (Array.isArray(here) || isObject(here)) && Object.hasOwn(here, name);
    if (!has) return undefined;
    here = here[name];
  }
  return here;
}
