// One connector: its head and one of its parts.

import * as api from "./api.js";
import { commandView } from "./command.js";
import { connection } from "./connection.js";
import { connectorHead, place } from "./connectors.js";
import { announce, h, notice, short } from "./dom.js";
import { policyView } from "./policy.js";
import { versionsView } from "./versions.js";

/** What was chosen as the database of each connector's calls, while somebody is signed in. */
const chosen = new Map();

/** Tells a version under one policy from others. */
const moment = ({ digest, since }) => `${digest} ${since}`;

/** Forgets what was chosen. */
export function forgetChoices() {
  chosen.clear();
}

/** A connector and its part `part`; `refresh` asks for the status at once. */
export function connectorView(name, part, command, refresh) {
  const head = connectorHead(name, part);
  const box = h("div", { class: "stack" });
  const element = h("div", { class: "stack" }, head.element, box);
  let description = null;
  let described = null;
  let loading = false;
  let view = part === "versions" ? versionsView(name, refresh) : null;
  if (view) box.append(view.element);

  async function load(live) {
    loading = true;
    try {
      const before = description;
      description = await api.description(name);
      described = moment(live);
      if (part !== "versions") show(before);
      if (before) announce(`Version ${live.version} of ${name}, ${short(live.digest)}, is live.`);
    } catch (error) {
      if (description === null) box.replaceChildren(notice("bad", error.message));
    }
    loading = false;
  }

  function show(before) {
    if (part === "policy") {
      view = policyView(description);
      box.replaceChildren(view.element);
      return;
    }
    const { commands } = description;
    const found =
      command === undefined ? commands[0] : commands.find((one) => one.name === command);
    if (!found) {
      box.replaceChildren(
        h(
          "p",
          { class: "muted" },
          commands.length === 0
            ? "This connector has no commands."
            : `The live version has no command ${command}.`,
        ),
        picker(commands),
      );
      return;
    }
    const same = before?.commands.find((one) => one.name === found.name);
    if (
      view &&
      JSON.stringify([same, before.databases, before.connection_strings]) ===
        JSON.stringify([found, description.databases, description.connection_strings])
    ) {
      view.renew(description);
      return;
    }
    const kept = view?.keep();
    view?.close();
    const fields = connection(description, () => chosen.set(name, fields.keep()));
    if (chosen.has(name)) fields.choose(chosen.get(name));
    const made = commandView(description, found, fields);
    if (kept) made.load(kept);
    view = made;
    box.replaceChildren(picker(commands, found.name), made.element);
  }

  function picker(commands, current) {
    return h(
      "nav",
      { class: "commands", "aria-label": `Commands of ${name}` },
      h(
        "ul",
        {},
        commands.map((one) =>
          h(
            "li",
            {},
            h(
              "a",
              {
                href: place(name, "commands", one.name),
                "aria-current": one.name === current ? "page" : null,
              },
              one.name,
            ),
          ),
        ),
      ),
    );
  }

  return {
    element,
    title: `${name} · ${command ?? part}`,
    update(status) {
      const found = status.connectors.find((one) => one.name === name);
      if (!found) {
        box.replaceChildren(notice("bad", `There is no connector ${name}.`));
        return;
      }
      const { live } = found;
      head.update(found, description?.summary);
      if (part === "versions") view.update(found);
      if (!live) {
        if (part !== "versions")
          box.replaceChildren(
            notice("bad", "No version of this connector is live. The reason is under Versions."),
          );
        return;
      }
      if (!loading && described !== moment(live))
        load(live).then(() => head.update(found, description?.summary));
    },
    close: () => view?.close(),
  };
}
