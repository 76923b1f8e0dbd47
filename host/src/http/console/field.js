// One field of a form: a label, a control, and the JSON text that it stands for.

import { freshId, h } from "./dom.js";
import { format, isNumber, parse } from "./exact.js";

/** What stands in a field is not what its kind takes. */
export class Misfit extends Error {}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** The first choice of optional fields. */
const LEFT_OUT = "left out";

/** A field; `path` is where its value goes in the call. One that is `long` has room for lines of text. */
export function field({ name, path, kind, words, required, summary, long }) {
  const [id, summaryId, errorId] = [freshId(), freshId(), freshId()];
  const describedBy = summary ? `${summaryId} ${errorId}` : errorId;
  const shared = {
    id,
    "aria-describedby": describedBy,
    required,
    spellcheck: "false",
    autocomplete: "off",
  };
  const control = CONTROLS[kind === "text" && long ? "lines" : kind](shared, required, words);
  const error = h("p", { id: errorId, class: "error" });
  const hint = { text: "text", number: "number", json: "JSON", choice: "" }[kind];
  const element = h(
    "div",
    { class: "field" },
    h(
      "label",
      { for: id },
      h("span", { class: "name" }, name),
      h("span", { class: "hint" }, hint, required ? " · required" : ""),
    ),
    summary ? h("p", { id: summaryId, class: "summary" }, summary) : null,
    control,
    error,
  );
  const say = (message) => {
    error.textContent = message;
    if (message) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  };
  return {
    element,
    control,
    path,
    say,
    /** The JSON text; null where the value is left out. */
    text() {
      try {
        return READERS[kind](control.value, required, words);
      } catch (misfit) {
        say(misfit.message);
        throw new Misfit(`${name}: ${misfit.message}`);
      }
    },
    /** Shows a value; false where this kind of field cannot. */
    show(value) {
      say("");
      if (value === undefined) {
        control.value = "";
        return true;
      }
      const shown = WRITERS[kind](value, words);
      if (shown === null) return false;
      control.value = shown;
      return true;
    },
  };
}

const CONTROLS = {
  text: (shared) => h("input", { ...shared, type: "text" }),
  lines: (shared) => h("textarea", { ...shared, rows: 3, class: "code" }),
  number: (shared) => h("input", { ...shared, type: "text", inputmode: "decimal" }),
  json: (shared) => h("textarea", { ...shared, rows: 1, class: "code" }),
  choice: (shared, required, words) =>
    h(
      "select",
      shared,
      required ? null : h("option", { value: "" }, LEFT_OUT),
      words.map((word) => h("option", { value: String(word) }, String(word))),
    ),
};

const READERS = {
  text: (given, required) => (given === "" && !required ? null : JSON.stringify(given)),
  number: (given) => {
    if (given.trim() === "") return null;
    if (!NUMBER.test(given.trim())) throw new Misfit("this is not a number");
    return given.trim();
  },
  json: (given, required) => {
    if (given.trim() === "") {
      if (required) throw new Misfit("this must be given");
      return null;
    }
    try {
      JSON.parse(given);
    } catch (error) {
      throw new Misfit(`this is not JSON: ${error.message}`);
    }
    return given.trim();
  },
  choice: (given, _, words) => {
    const word = words.find((one) => String(one) === given);
    return word === undefined ? null : JSON.stringify(word);
  },
};

const WRITERS = {
  text: (value) => (typeof value === "string" ? value : null),
  number: (value) => (isNumber(value) ? format(value) : null),
  json: (value) => format(value),
  choice: (value, words) => (words.includes(value) ? String(value) : null),
};

/** Whether a text is the JSON of an object. */
export function readObject(text) {
  const value = parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Misfit("the parameters are a JSON object, such as {}");
  }
  return value;
}
