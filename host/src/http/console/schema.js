// What a JSON Schema of a manifest says of one value, as far as a form can show it. A manifest may say
// anything, so nothing is taken for granted.

import { isObject } from "./exact.js";

/** References that are followed, one behind the other. */
const LONGEST_CHAIN = 8;

/** Members of an object that get fields; one with more is edited as JSON. */
const MOST_MEMBERS = 40;

/** Reads the text of a schema; nothing where there is none to be read. */
export function read(text) {
  try {
    const root = JSON.parse(text);
    return isObject(root) ? { root, here: root } : null;
  } catch {
    return null;
  }
}

function resolved({ root, here }) {
  let found = here;
  for (
    let step = 0;
    step < LONGEST_CHAIN && isObject(found) && typeof found.$ref === "string";
    step += 1
  ) {
    const names = found.$ref.replace("#/", "").split("/");
    const target = names.reduce(
      (outer, name) => (isObject(outer) && Object.hasOwn(outer, name) ? outer[name] : undefined),
      root,
    );
    if (!isObject(target)) return found;
    found = { ...target, description: found.description ?? target.description };
  }
  return isObject(found) ? found : {};
}

/** What to say of the value. */
export function summary(schema) {
  const { description } = resolved(schema);
  return typeof description === "string" ? description : "";
}

/** The members of an object; nothing where it is none, or may have others than it lists. */
export function members(schema) {
  const { properties, required } = resolved(schema);
  if (!isObject(properties)) return null;
  const names = Object.keys(properties);
  if (names.length === 0 || names.length > MOST_MEMBERS) return null;
  const needed = Array.isArray(required) ? required : [];
  return names.map((name) => ({
    name,
    required: needed.includes(name),
    schema: { root: schema.root, here: properties[name] },
  }));
}

/** The kind of field: `text`, `number`, `choice` with its words, or `json`. */
export function kind(schema) {
  const found = resolved(schema);
  const types = [found.type].flat().filter((type) => type !== "null");
  const words = choices(found);
  if (words) return { kind: "choice", words };
  if (types.length !== 1) return { kind: "json" };
  if (types[0] === "boolean") return { kind: "choice", words: [true, false] };
  if (types[0] === "string") return { kind: "text" };
  if (types[0] === "integer" || types[0] === "number") return { kind: "number" };
  return { kind: "json" };
}

function choices({ enum: words, oneOf }) {
  const listed = Array.isArray(words)
    ? words
    : Array.isArray(oneOf)
      ? oneOf.flatMap((one) => (isObject(one) ? (one.enum ?? [one.const]) : [undefined]))
      : [];
  const plain =
    listed.length > 0 &&
    listed.length <= MOST_MEMBERS &&
    listed.every((word) => typeof word === "string");
  return plain ? listed : null;
}
