// The connectors: the list beside everything else, and the head of the one that is looked at.

import { chip, h, number, short } from "./dom.js";

/** Where a connector is shown. */
export function place(name, ...parts) {
  return `#/${["connectors", name, ...parts].map(encodeURIComponent).join("/")}`;
}

/** How a connector does: a tone and a word. */
export function health({ live, rejected }) {
  if (!live) return ["bad", "out of service"];
  if (rejected && new Date(rejected.at) > new Date(live.since))
    return ["warn", "live; a candidate was refused"];
  return ["ok", "live"];
}

/** The list, which is kept as the status has it. */
export function connectorList(element) {
  let shown = "";
  return {
    update(connectors, current) {
      const now = JSON.stringify([
        current,
        connectors.map((one) => [one.name, one.live?.digest, one.live?.version, health(one)]),
      ]);
      if (now === shown) return;
      shown = now;
      const focused = element.contains(document.activeElement)
        ? document.activeElement.getAttribute("href")
        : null;
      element.replaceChildren(
        h("h2", {}, "Connectors"),
        h(
          "ul",
          {},
          connectors.map((one) => item(one, current)),
        ),
      );
      if (focused !== null)
        [...element.querySelectorAll("a")]
          .find((link) => link.getAttribute("href") === focused)
          ?.focus();
    },
  };
}

function item(connector, current) {
  const [tone, word] = health(connector);
  const { name, live } = connector;
  return h(
    "li",
    {},
    h(
      "a",
      { href: place(name), "aria-current": name === current ? "true" : null },
      h("span", { class: `dot ${tone}`, "aria-hidden": "true" }),
      h("span", { class: "name" }, name),
      h("span", { class: "detail" }, live ? `${live.version} · ${short(live.digest)}` : word),
      h("span", { class: "quiet" }, `, ${word}`),
    ),
  );
}

/** The head of a connector, with the ways to its parts. */
export function connectorHead(name, current) {
  const facts = h("div", {});
  const tabs = [
    ["commands", "Commands"],
    ["versions", "Versions"],
    ["policy", "Policy"],
  ];
  const element = h(
    "div",
    { class: "head" },
    facts,
    h(
      "nav",
      { class: "tabs", "aria-label": `Parts of ${name}` },
      tabs.map(([part, label]) =>
        h(
          "a",
          { href: place(name, part), "aria-current": part === current ? "page" : null },
          label,
        ),
      ),
    ),
  );
  let shown = "";
  return {
    element,
    update(status, summary) {
      const now = JSON.stringify([status, summary]);
      if (now === shown) return;
      shown = now;
      const [tone, word] = health(status);
      const { live } = status;
      facts.replaceChildren(
        ...[
          h(
            "div",
            { class: "line" },
            h("h1", { tabindex: -1 }, name),
            chip(word, tone),
            live ? h("span", { class: "muted" }, `version ${live.version}`) : null,
          ),
          h("p", { class: "muted" }, summary ?? ""),
          live
            ? h(
                "p",
                { class: "line small" },
                h("code", { class: "digest", id: "live-digest" }, live.digest),
                h("span", { class: "muted" }, usage(live.usage)),
              )
            : null,
        ].filter((part) => part !== null),
      );
    },
  };
}

function usage({ calls, faults }) {
  const failed = Object.values(faults).reduce((sum, count) => sum + count, 0);
  return `${number(calls)} calls · ${number(failed)} failed`;
}
