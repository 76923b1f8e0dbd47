// One command: its form, its plan, its reply. What runs is what was planned: whatever is changed after a
// plan has to be planned again.

import * as api from "./api.js";
import { confirmed } from "./confirm.js";
import { announce, chip, facts, freshId, h, notice, number, short } from "./dom.js";
import { parse, withMember } from "./exact.js";
import { Misfit } from "./field.js";
import { form } from "./form.js";
import { access, statements, verdict } from "./plan.js";
import { body, failure, outcome, spoken } from "./reply.js";

/** A command of a connector; `connection` are the fields for its database. */
export function commandView(description, command, connection) {
  let planned = null;
  let shown = false;
  let running = null;
  let changes = 0;
  const needs = command.parameters.find((parameter) => parameter.kind === "connection");
  const fields = form(command, outdated);
  fields.load(command.example);
  const planButton = h("button", { type: "submit", class: "primary" }, "Plan");
  const whyId = freshId();
  const runButton = h(
    "button",
    { type: "button", class: "primary", disabled: true, "aria-describedby": whyId, onclick: run },
    "Run",
  );
  const why = h("p", { id: whyId, class: "muted" });
  const planBox = h("div", { class: "stack" });
  const replyBox = h("div", { class: "stack" });
  const stop = h(
    "button",
    { type: "button", hidden: true, onclick: () => running?.abort() },
    "Stop",
  );
  const errors =
    command.errors.length === 0
      ? null
      : h(
          "details",
          {},
          h("summary", {}, "Errors that it can answer"),
          facts(command.errors.map(([code, what]) => [h("code", {}, code), what])),
        );
  const element = h(
    "div",
    { class: "trial" },
    h(
      "form",
      {
        class: "card",
        novalidate: true,
        "aria-label": `${command.name}: call`,
        onsubmit: (event) => {
          event.preventDefault();
          plan();
        },
      },
      h(
        "div",
        { class: "line" },
        h("h2", { tabindex: -1 }, command.name),
        access(command.access),
        command.raw ? chip("SQL text") : null,
      ),
      h("p", { class: "muted" }, command.summary),
      needs ? connection.element : null,
      fields.element,
      h(
        "div",
        { class: "actions" },
        planButton,
        h(
          "button",
          {
            type: "button",
            onclick: () => {
              fields.load(command.example);
              outdated();
            },
          },
          "Example",
        ),
      ),
      errors,
    ),
    h(
      "div",
      { class: "stack beside" },
      h(
        "section",
        { class: "card", "aria-labelledby": "plan-title" },
        h("h3", { id: "plan-title" }, "Plan"),
        planBox,
        h("div", { class: "actions" }, runButton, stop, why),
      ),
      h(
        "section",
        { class: "card", "aria-labelledby": "reply-title" },
        h("h3", { id: "reply-title" }, "Reply"),
        replyBox,
      ),
    ),
  );
  for (const event of ["input", "change"]) connection.element.addEventListener(event, outdated);
  outdated();
  planBox.append(
    h("p", { class: "muted" }, "Plan the call to see its SQL. No database is asked for that."),
  );
  replyBox.append(h("p", { class: "muted" }, "Nothing ran yet."));

  function show(box, ...children) {
    box.replaceChildren(...children.flat(Infinity).filter((child) => child !== null));
  }

  /** Shows what came, where it may be out of sight. */
  function bring(box, ...children) {
    show(box, ...children);
    box.parentElement.scrollIntoView({ block: "nearest" });
  }

  function withdraw(reason) {
    planned = null;
    runButton.disabled = true;
    why.textContent = reason;
  }

  function outdated() {
    changes += 1;
    if (shown) {
      planBox.classList.add("old");
      withdraw("The call was changed. Plan it again.");
    } else {
      withdraw("Plan the call first.");
    }
  }

  async function plan() {
    let call;
    try {
      call = fields.read();
    } catch (misfit) {
      withdraw("Plan the call first.");
      announce(misfit.message);
      if (!(misfit instanceof Misfit)) throw misfit;
      element.querySelector("[aria-invalid]")?.focus();
      return;
    }
    const place = { value: connection.value(), label: connection.label() };
    const before = changes;
    planButton.disabled = true;
    try {
      const answer = parse(await api.plan(description.name, command.name, call.text));
      planBox.classList.remove("old");
      shown = true;
      if (answer.error) refuse(answer.error);
      else take(answer, call, place);
      // What was changed meanwhile is not what was planned.
      if (changes !== before) outdated();
    } catch (error) {
      withdraw("Plan the call first.");
      bring(planBox, notice("bad", error.message));
      announce(error.message);
    } finally {
      planButton.disabled = false;
    }
  }

  function refuse(error) {
    withdraw("There is no plan to run.");
    bring(planBox, failure(error));
    if (error.pointer) fields.mark(error.pointer, error.message);
    announce(`Not planned: ${error.error_code}: ${error.message}`);
  }

  function take({ plan: made, verdict: said, planned_by: plannedBy }, call, place) {
    bring(
      planBox,
      verdict(said),
      statements(made, call.value, short(plannedBy.split("@")[1] ?? plannedBy)),
    );
    if (!said.allowed) {
      withdraw("The policy refuses this plan.");
      announce(`The policy refuses this plan: ${said.refused.message}`);
      return;
    }
    planned = { text: call.text, plannedBy, access: said.allowed.access, place };
    runButton.disabled = false;
    why.textContent = needs ? `It will run in ${place.label}.` : "";
    announce(
      `Planned: ${number(made.statements.length)} statement${made.statements.length === 1 ? "" : "s"}, allowed. Run is enabled.`,
    );
  }

  async function run() {
    const { text, plannedBy, access: kind, place } = planned;
    if (kind !== "read") {
      const what =
        kind === "write" ? "It changes rows" : "It can change definitions and everything else";
      const where = needs ? ` in ${place.label}` : "";
      if (!(await confirmed(`Run ${command.name}?`, `${what}${where}.`, "Run it"))) return;
    }
    if (planned === null) return;
    running = new AbortController();
    runButton.disabled = true;
    stop.hidden = false;
    show(replyBox, h("p", { class: "muted" }, "Running…"));
    try {
      const whole = needs ? withMember(text, needs.name, place.value) : text;
      showReply(
        await api.run(description.name, command.name, whole, plannedBy, running.signal),
        kind,
      );
    } catch (error) {
      const gone = error.name === "AbortError";
      const message = gone ? `Stopped.${left(kind)}` : error.message;
      bring(replyBox, notice(gone ? "warn" : "bad", message));
      announce(message);
    } finally {
      running = null;
      stop.hidden = true;
      runButton.disabled = planned === null;
    }
  }

  function showReply({ text, took, outcome: word }, kind) {
    if (text === null) {
      const message = `The reply is too long to be shown, so the call was cancelled. Ask for fewer rows.${left(kind)}`;
      bring(replyBox, notice("warn", message));
      announce(message);
      return;
    }
    const envelope = parse(text);
    const head = h(
      "p",
      { class: "line muted" },
      `${number(Math.round(took))} ms`,
      word === null || envelope.error ? null : outcome(word),
    );
    if (envelope.error) {
      bring(replyBox, head, failure(envelope.error));
      if (envelope.error.pointer) fields.mark(envelope.error.pointer, envelope.error.message);
    } else {
      const rows = envelope.command_response.body;
      if (Array.isArray(rows))
        head.prepend(h("strong", {}, `${number(rows.length)} row${rows.length === 1 ? "" : "s"}`));
      bring(replyBox, head, body(rows));
    }
    announce(spoken(envelope));
  }

  return {
    element,
    /** Another version or policy is in force, and describes the command as before. */
    renew(now) {
      description = now;
      if (planned !== null) {
        outdated();
        why.textContent = "The connector or its policy changed. Plan the call again.";
      }
    },
    /** The parameters as they stand, to be taken over by another form. */
    keep() {
      try {
        return fields.read().text;
      } catch {
        return null;
      }
    },
    load: fields.load,
    close: () => running?.abort(),
  };
}

/** What may be left of a call that was given up. */
function left(kind) {
  return kind === "read"
    ? ""
    : " It is rolled back unless it was being committed: look before you run it again.";
}
