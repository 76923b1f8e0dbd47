// The database of a call: one by its name, or a connection string, which stays in its field and is
// forgotten with it.

import { freshId, h } from "./dom.js";

/** The choice behind the names. */
const STRING = " string";

/** The fields for calls of a connector; `changed` is called when somebody changes something. */
export function connection(description, changed) {
  const { databases, connection_strings: strings } = description;
  const [id, stringId, hintId] = [freshId(), freshId(), freshId()];
  const options = databases.map((name) => h("option", { value: name }, name));
  if (strings) options.push(h("option", { value: STRING }, "connection string…"));
  const select = h("select", { id }, options);
  const input = h("input", {
    id: stringId,
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": hintId,
  });
  const own = h(
    "div",
    { class: "field" },
    h("label", { for: stringId }, h("span", { class: "name" }, "Connection string")),
    h(
      "p",
      { id: hintId, class: "summary" },
      "Sent with each run and stored nowhere, such as dbname=shop user=app password=… host=db",
    ),
    input,
  );
  const show = () => {
    own.hidden = select.value !== STRING;
  };
  show();
  const none =
    "No database is configured that calls of this connector may use, and connection strings are not accepted. Plans can be made all the same.";
  const element = h(
    "div",
    {
      class: "fields",
      oninput: changed,
      onchange: () => {
        show();
        changed();
      },
    },
    options.length === 0
      ? h("p", { class: "muted" }, none)
      : [
          h(
            "div",
            { class: "field" },
            h("label", { for: id }, h("span", { class: "name" }, "Database")),
            select,
          ),
          own,
        ],
  );
  return {
    element,
    /** What the call gives as its connection. */
    value: () => (select.value === STRING ? input.value : select.value),
    /** What to call it in front of people. */
    label: () => (select.value === STRING ? "the database of the connection string" : select.value),
    /** What is chosen, to be chosen again. */
    keep: () => ({ choice: select.value, string: input.value }),
    choose({ choice, string }) {
      if (options.some((option) => option.value === choice)) select.value = choice;
      input.value = string;
      show();
    },
  };
}
