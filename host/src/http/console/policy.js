// What a connector is held to.

import { bytes, h, number, table } from "./dom.js";

/** The policy and the limits of a connector. */
export function policyView(description) {
  const { policy, imports } = description;
  const list = (names) => (names.length === 0 ? "none" : names.join(", "));
  const or = (value, otherwise) =>
    value === null ? h("span", { class: "muted" }, otherwise) : value;
  const ms = (value) => (value === null ? null : `${number(value)} ms`);
  const rows = [
    ["access", policy.access],
    ["raw_sql", or(policy.raw_sql && list(policy.raw_sql), "all kinds of statements")],
    ["databases", or(policy.databases && list(policy.databases), "all")],
    ["role", or(policy.role, "that of the login")],
    ["statement_timeout_ms", or(ms(policy.statement_timeout_ms), "the server's")],
    ["lock_timeout_ms", or(ms(policy.lock_timeout_ms), "the server's")],
    ["reply_rows", or(policy.reply_rows && number(policy.reply_rows), "that of the host")],
    ["reply_bytes", or(policy.reply_bytes && bytes(policy.reply_bytes), "that of the host")],
    ["affected_rows", or(policy.affected_rows && number(policy.affected_rows), "no bound")],
    ["unconfirmed_writes", String(policy.unconfirmed_writes)],
    ["idempotency_table", or(policy.idempotency_table, "none")],
    ["imports", `${policy.imports}; the component imports ${list(imports)}`],
    ["sha256", or(policy.sha256 && h("code", { class: "digest" }, policy.sha256), "any component")],
    ["replay", or(policy.replay, "none")],
  ].map(([key, value]) => [h("code", {}, key), value]);
  const limits = Object.entries(policy.limits).map(([key, value]) => [
    h("code", {}, key),
    shown(key, value),
  ]);
  return {
    element: h(
      "div",
      { class: "pair" },
      h(
        "section",
        { class: "card" },
        h("h2", { tabindex: -1 }, "Policy"),
        h("p", { class: "muted" }, "What the configuration lets this connector do."),
        table("Policy", ["key", "value"], rows, true),
      ),
      h(
        "section",
        { class: "card" },
        h("h2", {}, "Limits"),
        h(
          "p",
          { class: "muted" },
          "What it may take of the host. Beyond one it is stopped, and the next call is none the worse for it.",
        ),
        table("Limits", ["limit", "value"], limits, true),
      ),
    ),
    close: () => {},
  };
}

function shown(key, value) {
  if (key.endsWith("_bytes")) return bytes(value);
  return key.endsWith("_ms") ? `${number(value)} ms` : number(value);
}
