// A plan: its statements, what fills them, and what the policy says to it.

import { chip, counted, facts, h, notice, number } from "./dom.js";
import { at, format } from "./exact.js";

/** Longest value that is shown behind its pointer, in characters. */
const LONGEST_VALUE = 80;

/** Arguments that are shown of one statement. */
const MOST_ARGUMENTS = 50;

const TONES = { read: "ok", write: "warn", define: "bad" };

/** The access of a statement or a command. */
export function access(kind) {
  return chip(kind, TONES[kind]);
}

/** What the policy says. */
export function verdict({ allowed, refused }) {
  if (refused) {
    return notice(
      "bad",
      h("strong", {}, "The policy refuses this. "),
      h("code", {}, refused.error_code),
      h("p", {}, refused.message),
    );
  }
  const ms = (value) => (value === null ? null : `${number(value)} ms`);
  return [
    notice(
      "ok",
      h("strong", {}, "Allowed by the policy."),
      ` It runs as ${TRANSACTIONS[allowed.transaction] ?? allowed.transaction}.`,
    ),
    facts([
      ["role", allowed.role],
      ["statement_timeout", ms(allowed.statement_timeout_ms)],
      ["lock_timeout", ms(allowed.lock_timeout_ms)],
      ["most rows changed", allowed.affected_rows === null ? null : number(allowed.affected_rows)],
    ]),
  ];
}

const TRANSACTIONS = {
  none: "no statement at all",
  "single statement, read only": "a single statement that only reads",
  "single statement": "a single statement",
  "block, read only": "a transaction that only reads",
  block: "one transaction: all or nothing",
};

/** The statements and the reply of a plan by the version `planner`, for a call with these parameters. */
export function statements(plan, parameters, planner) {
  const list = plan.statements.map((one, index) =>
    h(
      "li",
      {},
      h(
        "div",
        { class: "line" },
        h("span", { class: "muted" }, `Statement ${index + 1}`),
        access(one.access),
        one.max_affected === undefined ? null : chip(`at most ${counted(one.max_affected, "row")}`),
      ),
      h(
        "pre",
        { class: "sql", tabindex: 0, "aria-label": `SQL of statement ${index + 1}` },
        one.sql,
      ),
      filling(one.arguments, parameters),
    ),
  );
  return [
    list.length === 0
      ? h("p", { class: "muted" }, "No statement: the database is not asked.")
      : h("ol", { class: "statements" }, list),
    h(
      "p",
      { class: "muted" },
      "Reply: ",
      replyOf(plan.reply),
      " Planned by ",
      h("code", {}, planner),
      ".",
    ),
  ];
}

function filling(filled, parameters) {
  if (filled.each) {
    const rows = at(parameters, filled.each.rows);
    const times = Array.isArray(rows) ? counted(rows.length, "row") : "each row";
    return h(
      "p",
      {},
      "Once for each row of ",
      h("code", {}, filled.each.rows),
      ` (${times}), ${counted(filled.each.width, "argument")} each.`,
    );
  }
  if (!filled.once) return h("p", { class: "muted" }, "No arguments.");
  const shown = filled.once.slice(0, MOST_ARGUMENTS);
  const more = filled.once.length - shown.length;
  const lines = shown.map((argument, index) =>
    h("li", {}, h("span", { class: "number" }, `$${index + 1}`), source(argument, parameters)),
  );
  if (more > 0) lines.push(h("li", { class: "muted" }, `and ${number(more)} more`));
  return h("ul", { class: "arguments" }, lines);
}

function source({ input, literal }, parameters) {
  if (literal !== undefined)
    return [h("code", {}, literal), h("span", { class: "muted" }, " of the connector")];
  const value = at(parameters, input);
  const text = value === undefined ? "" : format(value);
  const shown = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
  return [h("code", {}, input), h("span", { class: "value" }, shown)];
}

function replyOf(reply) {
  if (reply === "affected") return "how many rows the last statement affected.";
  if (reply.rows) return `the rows of the last statement, as ${reply.rows}.`;
  if (reply.json !== undefined) return h("code", {}, reply.json);
  return "the connector is asked again with what came of this.";
}
