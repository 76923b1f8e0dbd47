// What came of a call: rows, a count, or an error.

import { chip, counted, facts, h, notice, number, table } from "./dom.js";
import { format, isNumber, isObject } from "./exact.js";

/** Rows that are shown at once. */
const MOST_ROWS = 200;

const OUTCOMES = {
  committed: ["ok", "committed: the database confirmed it"],
  aborted: ["warn", "aborted: nothing is stored"],
  unknown: ["bad", "unknown: look before it is made again"],
};

/** What became of the transaction. */
export function outcome(word) {
  const [tone, text] = OUTCOMES[word] ?? ["", word];
  return chip(text, tone);
}

/** An error of a call. */
export function failure(error) {
  const code = (value) => (value === undefined ? null : h("code", {}, value));
  return notice(
    "bad",
    h("strong", {}, error.error_code),
    h("p", {}, error.message),
    facts([
      ["pointer", code(error.pointer)],
      ["outcome", error.outcome === undefined ? null : outcome(error.outcome)],
      ["SQLSTATE", code(error.sqlstate)],
      ["hint", error.hint],
      ["constraint", code(error.constraint)],
      ["column", code(error.column)],
      ["table", code(error.table)],
      ["position", error.position === undefined ? null : number(error.position)],
    ]),
  );
}

/** In one sentence, for those who hear it. */
export function spoken(envelope) {
  if (envelope.error) return `Failed with ${envelope.error.error_code}: ${envelope.error.message}`;
  const { body } = envelope.command_response;
  return Array.isArray(body) ? counted(body.length, "row") : format(body);
}

/** The body of a reply. */
export function body(value) {
  if (!Array.isArray(value)) {
    const only = isObject(value) ? Object.entries(value) : [];
    if (only.length === 1 && only[0][0] === "result" && typeof only[0][1] === "string")
      return h("p", { class: "result" }, only[0][1]);
    return h("pre", { class: "code", tabindex: 0, "aria-label": "Reply" }, format(value));
  }
  if (value.length === 0) return h("p", { class: "result" }, "No rows.");
  const rows = value.slice(0, MOST_ROWS);
  const shown =
    value.length > rows.length
      ? h(
          "p",
          { class: "muted" },
          `The first ${number(rows.length)} of ${counted(value.length, "row")}.`,
        )
      : null;
  return [shown, rowsTable(rows)];
}

function rowsTable(rows) {
  if (rows.every(isObject)) {
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return table(
      "Rows",
      columns,
      rows.map((row) =>
        columns.map((column) => (Object.hasOwn(row, column) ? cell(row[column]) : "")),
      ),
    );
  }
  if (rows.every(Array.isArray)) {
    const width = Math.max(...rows.map((row) => row.length));
    const columns = Array.from({ length: width }, (_, index) => String(index + 1));
    return table(
      "Rows",
      columns,
      rows.map((row) => columns.map((_, index) => (index < row.length ? cell(row[index]) : ""))),
    );
  }
  return table(
    "Rows",
    ["value"],
    rows.map((row) => [cell(row)]),
  );
}

function cell(value) {
  if (value === null) return h("span", { class: "null" }, "NULL");
  if (typeof value === "string") return value;
  return typeof value === "object" && !isNumber(value)
    ? h("span", { class: "code" }, format(value))
    : format(value);
}
