// The form of a command, made from its manifest: a field for each parameter, or the whole as JSON.

import { freshId, h } from "./dom.js";
import { at, isObject, object, parse } from "./exact.js";
import { field, Misfit, readObject } from "./field.js";
import * as schema from "./schema.js";

/** The kinds of fields for parameters that have no schema. */
const KINDS = {
  text: { kind: "text" },
  integer: { kind: "number" },
  boolean: { kind: "choice", words: [true, false] },
  any: { kind: "json" },
};

/**
 * A form for the parameters of a command but its connection.
 * `changed` is called when somebody changes something.
 */
export function form(command, changed) {
  const parameters = command.parameters.filter((parameter) => parameter.kind !== "connection");
  const parts = parameters.map((parameter) => part(parameter, command));
  const fields = parts.flatMap((one) => one.fields);
  const editor = field({
    name: "Parameters",
    path: "",
    kind: "json",
    required: true,
    summary: "All parameters as one JSON object, without the connection.",
  });
  editor.control.rows = 12;
  const fieldsBox = h(
    "div",
    { class: "fields" },
    parts.map((one) => one.element),
  );
  if (parts.length === 0)
    fieldsBox.append(h("p", { class: "muted" }, "This command takes no parameters."));
  const editorBox = h("div", { class: "fields", hidden: true }, editor.element);
  const note = h("p", { class: "error", role: "alert" });
  const modes = ["Fields", "JSON"].map((name) =>
    h(
      "button",
      { type: "button", "aria-pressed": name === "Fields", onclick: () => change(name) },
      name,
    ),
  );
  const element = h(
    "div",
    { oninput: edited, onchange: edited },
    h("div", { class: "switch", role: "group", "aria-label": "Edit as" }, modes),
    note,
    fieldsBox,
    editorBox,
  );

  function edited() {
    note.textContent = "";
    for (const one of [...fields, editor]) one.say("");
    changed();
  }

  function inEditor() {
    return fieldsBox.hidden;
  }

  function enter(name) {
    fieldsBox.hidden = name === "JSON";
    editorBox.hidden = name !== "JSON";
    for (const mode of modes) mode.setAttribute("aria-pressed", String(mode.textContent === name));
  }

  function composed() {
    const members = parts.map((one) => [one.name, one.text()]);
    return object(members.filter(([, text]) => text !== null));
  }

  function change(name) {
    note.textContent = "";
    try {
      if (name === "JSON" && !inEditor()) {
        editor.control.value = composed();
        enter("JSON");
      } else if (name === "Fields" && inEditor()) {
        const unshown = show(readObject(editor.control.value));
        if (unshown === null) enter("Fields");
        else note.textContent = `There is no field for ${unshown}; it can be edited as JSON.`;
      }
    } catch (error) {
      note.textContent =
        error instanceof Misfit ? error.message : `This is not JSON: ${error.message}`;
    }
  }

  /** Shows the value in the fields; gives the name of what has none. */
  function show(value) {
    const names = parts.map((one) => one.name);
    const unknown = Object.keys(value).find((name) => !names.includes(name));
    if (unknown !== undefined) return unknown;
    const misfit = parts.find(
      (one) => !one.show(Object.hasOwn(value, one.name) ? value[one.name] : undefined),
    );
    return misfit ? misfit.name : null;
  }

  return {
    element,
    /** The parameters as JSON text, and what it says. */
    read() {
      if (!inEditor()) {
        const text = composed();
        return { text, value: parse(text) };
      }
      const text = editor.text();
      try {
        return { text, value: readObject(text) };
      } catch (misfit) {
        editor.say(misfit.message);
        throw misfit;
      }
    },
    /** Shows parameters, in the fields where they fit. */
    load(text) {
      editor.control.value = text;
      try {
        enter(show(readObject(text)) === null ? "Fields" : "JSON");
      } catch {
        enter("JSON");
      }
    },
    /** Marks the field that a pointer into the call leads to. */
    mark(pointer, message) {
      const owners = fields.filter(
        (one) => pointer === one.path || pointer.startsWith(`${one.path}/`),
      );
      const owner = inEditor() ? editor : owners.sort((a, b) => b.path.length - a.path.length)[0];
      owner?.say(message);
      for (const box of element.querySelectorAll("details"))
        box.open ||= box.querySelector("[aria-invalid]") !== null;
    },
  };
}

/** A parameter: one field, or one for each member of an object. */
function part({ name, kind, required, summary, schema: text }, { example, raw }) {
  const path = `/${escaped(name)}`;
  const known = schema.read(text);
  const members = known && kind === "any" ? schema.members(known) : null;
  if (members)
    return group(
      { name, path, required, summary, raw },
      members,
      at(readExample(example), path) ?? {},
    );
  const described = known ? schema.kind(known) : { kind: "json" };
  const own = kind === "any" || described.kind === "choice" ? described : KINDS[kind];
  const one = field({ name, path, required, summary, long: raw, ...own });
  return { name, element: one.element, fields: [one], text: one.text, show: one.show };
}

/** Members that are needed, or in the example, come first; the others are folded away. */
function group({ name, path, required, summary, raw }, members, example) {
  const summaryId = freshId();
  const fields = members.map((member) =>
    field({
      name: member.name,
      path: `${path}/${escaped(member.name)}`,
      required: member.required && required,
      summary: schema.summary(member.schema),
      long: raw,
      ...schema.kind(member.schema),
    }),
  );
  const first = members.map(
    (member) => member.required || (isObject(example) && Object.hasOwn(example, member.name)),
  );
  const rest = fields.filter((_, index) => !first[index]);
  const more = h(
    "details",
    { hidden: rest.length === 0 },
    h("summary", {}, `${rest.length} more, optional`),
    h(
      "div",
      { class: "fields" },
      rest.map((one) => one.element),
    ),
  );
  const element = h(
    "fieldset",
    { "aria-describedby": summaryId },
    h("legend", {}, name),
    h("p", { id: summaryId, class: "summary" }, summary),
    fields.filter((_, index) => first[index]).map((one) => one.element),
    more,
  );
  return {
    name,
    element,
    fields,
    text() {
      const texts = members.map((member, index) => [member.name, fields[index].text()]);
      const given = texts.filter(([, text]) => text !== null);
      return given.length === 0 && !required ? null : object(given);
    },
    show(value) {
      if (value !== undefined && !isObject(value)) return false;
      const given = new Map(Object.entries(value ?? {}));
      const names = members.map((member) => member.name);
      if ([...given.keys()].some((key) => !names.includes(key))) return false;
      const shown = fields.every((one, index) => one.show(given.get(names[index])));
      more.open = rest.some((one) => one.control.value !== "");
      return shown;
    },
  };
}

function readExample(text) {
  try {
    return parse(text);
  } catch {
    return null;
  }
}

function escaped(name) {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
