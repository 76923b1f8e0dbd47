// The {{name}} connector: keeps notes in the table `notes`.
//
// It plans and does nothing else: SQL text, and pointers to the values that fill it. Airlock runs the
// plan. The records are those of wit/connector.wit, with names in camel case.

const connection = {
  name: "database_connection_str",
  kind: "connection",
  required: true,
  summary: "Connection string, or name of a database.",
  sealed: [],
};

// "" seals the whole parameter: the connector sees its kind, such as "string", and not the value.
const text = {
  name: "text",
  kind: "text",
  required: true,
  summary: "The note.",
  schema: JSON.stringify({ type: "string" }),
  sealed: [""],
};

const pinned = {
  name: "pinned",
  kind: "boolean",
  required: false,
  summary: "Whether the note comes before others.",
  schema: JSON.stringify({ type: "boolean" }),
  sealed: [],
};

const contains = {
  name: "contains",
  kind: "text",
  required: false,
  summary: "Only notes with this in their text, whatever its case.",
  schema: JSON.stringify({ type: "string" }),
  sealed: [""],
};

const order = {
  name: "order",
  kind: "text",
  required: false,
  summary: "newest, unless it is oldest.",
  schema: JSON.stringify({ enum: ["newest", "oldest"] }),
  sealed: [],
};

/** Describes the connector. */
export function describe() {
  return {
    name: "{{name}}",
    version: "0.1.0",
    summary: "Keeps notes.",
    commands: [
      {
        name: "AddNote",
        summary: "Adds a note; gives its id.",
        access: "write",
        raw: false,
        parameters: [connection, text, pinned],
        errors: [],
        example: JSON.stringify({ text: "Buy milk", pinned: true }),
      },
      {
        name: "FindNotes",
        summary: "Finds notes, at most 100.",
        access: "read",
        raw: false,
        parameters: [connection, contains, order],
        errors: [{ code: "UnknownOrder", summary: "order is neither newest nor oldest. Use one of them." }],
        example: JSON.stringify({ contains: "milk", order: "oldest" }),
      },
    ],
  };
}

/** Plans one call. What it throws is what the caller is told. */
export function plan(call) {
  const input = JSON.parse(call.input);
  switch (call.command) {
    case "AddNote":
      return addNote(input);
    case "FindNotes":
      return findNotes(input);
    default:
      throw failure("command_not_found", `there is no command ${call.command}`);
  }
}

/** Continues after a plan that replied `resume`. None does here. */
export function resume(call) {
  throw failure("NotSupportedError", `${call.command} does not continue after a plan`);
}

function addNote(input) {
  return {
    statements: [
      {
        sql: "INSERT INTO notes (text, pinned) VALUES ($1, $2) RETURNING id",
        arguments: {
          tag: "once",
          val: [
            { tag: "input", val: "/text" },
            { tag: "literal", val: JSON.stringify(input.pinned === true) },
          ],
        },
        access: "write",
      },
    ],
    reply: { tag: "rows", val: "objects" },
  };
}

function findNotes(input) {
  const filters = input.contains !== undefined;
  const where = filters ? " WHERE strpos(lower(text), lower($1)) > 0" : "";
  const direction = { newest: "DESC", oldest: "ASC" }[input.order ?? "newest"];
  if (direction === undefined) {
    throw failure("UnknownOrder", "order is newest or oldest", "/order");
  }
  return {
    statements: [
      {
        sql: `SELECT id, text, pinned FROM notes${where} ORDER BY pinned DESC, id ${direction} LIMIT 100`,
        arguments: filters ? { tag: "once", val: [{ tag: "input", val: "/contains" }] } : { tag: "none" },
        access: "read",
      },
    ],
    reply: { tag: "rows", val: "objects" },
  };
}

function failure(code, message, pointer) {
  return { code, message, pointer, stage: "parameters" };
}
