// The versions of a connector: what is live, what was, what was refused, and how they plan.

import * as api from "./api.js";
import { confirmed } from "./confirm.js";
import { announce, bytes, counted, facts, h, moment, notice, short } from "./dom.js";
import { format } from "./exact.js";
import { lines } from "./diff.js";

/** The versions of the connector `name`; `changed` is called when another one may be live. */
export function versionsView(name, changed) {
  const history = h("div", { class: "stack" });
  const said = h("div", { class: "said" });
  const comparison = h(
    "section",
    { class: "card", "aria-labelledby": "compare-title" },
    h("h3", { id: "compare-title" }, "Differences of plans"),
  );
  const compared = h("div", { class: "stack" });
  comparison.append(compared);
  const swap = h(
    "button",
    {
      type: "button",
      onclick: () =>
        act(
          "Swap",
          () => api.swap(name),
          "The connector's file is read and tried out again. Where it is fit, it goes live at once; calls under way finish on the version that they began with.",
        ),
    },
    "Swap",
  );
  const back = h(
    "button",
    {
      type: "button",
      disabled: true,
      onclick: () =>
        act(
          "Roll back",
          () => api.rollBack(name),
          "The version before goes live at once. The present one stays out of service until another version comes or somebody asks for it.",
        ),
    },
    "Roll back",
  );
  const element = h(
    "div",
    { class: "stack" },
    h(
      "section",
      { class: "card", "aria-labelledby": "versions-title" },
      h(
        "div",
        { class: "line spread" },
        h("h2", { id: "versions-title", tabindex: -1 }, "Versions"),
        h("div", { class: "actions" }, swap, back),
      ),
      said,
      history,
    ),
    comparison,
  );
  let shown = "";
  let asked = null;

  async function act(title, make, text) {
    if (!(await confirmed(`${title} ${name}?`, text, title))) return;
    for (const button of [swap, back]) button.disabled = true;
    try {
      const live = await make();
      const message = `Version ${live.version} (${short(live.digest)}) is live.`;
      said.replaceChildren(notice("ok", message));
      announce(message);
    } catch (error) {
      said.replaceChildren(notice("bad", error.message));
      announce(error.message);
    }
    swap.disabled = false;
    shown = "";
    await changed();
  }

  function version(one, word, more) {
    return h(
      "li",
      {},
      h(
        "div",
        { class: "line" },
        h("strong", {}, word),
        h("span", {}, `version ${one.version}`),
        more,
      ),
      h("code", { class: "digest" }, one.digest),
      h(
        "p",
        { class: "muted" },
        bytes(one.bytes),
        word === "Live" ? " · since " : " · went live ",
        moment(one.since),
      ),
    );
  }

  function update(status) {
    back.disabled = status.previous.length === 0;
    const now = JSON.stringify([
      status.live?.digest,
      status.live?.since,
      status.previous,
      status.rejected,
      status.withdrawn,
    ]);
    if (now === shown) return;
    shown = now;
    const { live, previous, rejected, withdrawn } = status;
    const items = [];
    if (live) items.push(version(live, "Live"));
    for (const one of previous) {
      items.push(
        version(
          one,
          "Before",
          live
            ? h(
                "button",
                { type: "button", class: "small", onclick: () => compare(one.digest, live.digest) },
                "Compare with live",
                h("span", { class: "quiet" }, ` ${short(one.digest)}`),
              )
            : null,
        ),
      );
    }
    const refused = rejected
      ? notice(
          "warn",
          h("strong", {}, "The last candidate was refused. "),
          moment(rejected.at),
          h("p", {}, rejected.reason),
          rejected.digest ? h("code", { class: "digest" }, rejected.digest) : null,
        )
      : null;
    const out = withdrawn
      ? facts([["taken out of service by a rollback", h("code", { class: "digest" }, withdrawn)]])
      : null;
    const held = document.activeElement;
    const at = [...history.querySelectorAll("button")].indexOf(held);
    history.replaceChildren(
      ...[h("ol", { class: "versions" }, items), out, refused].filter((child) => child !== null),
    );
    if (at >= 0) (history.querySelectorAll("button")[at] ?? swap).focus();
    if (live && previous.length > 0) compare(previous[0].digest, live.digest);
    else none(live);
  }

  function none(live) {
    asked = null;
    compared.replaceChildren(
      h(
        "p",
        { class: "muted" },
        live ? "There is no earlier version to compare the live one with." : "No version is live.",
      ),
    );
  }

  async function compare(before, live) {
    const mine = `${before} ${live}`;
    asked = mine;
    compared.replaceChildren(h("p", { class: "muted" }, "Planning calls with both versions…"));
    let children;
    try {
      children = differences(await api.compare(name, before));
    } catch (error) {
      children = [notice("bad", error.message)];
    }
    // Somebody may have asked for another comparison meanwhile.
    if (asked === mine) compared.replaceChildren(...children);
  }

  return { element, update, close: () => {} };
}

function differences({ old, new: now, source, calls, differing, differences: shown }) {
  const what = source === "recorded" ? "recorded call" : "example call";
  const line =
    differing === 0
      ? `All ${counted(calls, what)} are planned alike.`
      : `${differing} of ${counted(calls, what)} ${differing === 1 ? "is" : "are"} planned differently.`;
  const head = [
    notice(differing === 0 ? "ok" : "warn", h("strong", {}, line)),
    h(
      "p",
      { class: "muted" },
      "From ",
      h("code", {}, short(old)),
      " (−) to the live ",
      h("code", {}, short(now)),
      " (+). Values are sealed: calls show their kinds only.",
    ),
  ];
  if (differing > shown.length)
    head.push(
      h("p", { class: "muted" }, `The first ${shown.length} are shown; airlock replay shows all.`),
    );
  return [...head, ...shown.map(difference)];
}

function difference({ id, command, sealed, old, new: now }) {
  const rows = lines(described(old), described(now)).map(([sign, line]) =>
    h(
      "span",
      { class: { "-": "gone", "+": "come", " ": "same" }[sign] },
      `${sign === "-" ? "−" : sign} ${line}\n`,
    ),
  );
  return h(
    "article",
    { class: "difference", "aria-label": `${command}, call ${id}` },
    h("div", { class: "line" }, h("strong", {}, command), h("code", { class: "muted" }, id)),
    h(
      "details",
      {},
      h("summary", {}, "The call"),
      h("pre", { class: "code", tabindex: 0, "aria-label": "The call" }, format(sealed)),
    ),
    h("pre", { class: "diff", tabindex: 0, "aria-label": "Difference of the plans" }, rows),
  );
}

/** What a version answers, as lines. */
function described(answer) {
  if (answer === "missing") return "there is no such command";
  if (answer.failure) return format(answer.failure);
  const { statements, reply } = answer.plan;
  const parts = statements.flatMap((one) => [
    one.sql,
    ...(one.max_affected === undefined ? [] : [`  at most ${one.max_affected} rows`]),
    `  access: ${one.access}`,
    ...filled(one.arguments),
  ]);
  return [...parts, `reply: ${format(reply)}`].join("\n");
}

function filled(given) {
  if (given.each)
    return [`  once for each row of ${given.each.rows}, ${given.each.width} arguments`];
  return (given.once ?? []).map((one, index) => `  $${index + 1}: ${one.input ?? one.literal}`);
}
