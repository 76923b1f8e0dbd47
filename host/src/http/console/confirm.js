// A question in the page, before something is done that cannot be taken back.

import { freshId, h } from "./dom.js";

/** Asks; gives whether the answer is yes. Whoever just presses Enter says no. */
export function confirmed(title, text, yes) {
  return new Promise((resolve) => {
    const id = freshId();
    const close = (answer) => () => {
      dialog.close();
      resolve(answer);
    };
    const dialog = h(
      "dialog",
      { "aria-labelledby": id, onclose: () => dialog.remove(), oncancel: () => resolve(false) },
      h("h2", { id }, title),
      h("p", {}, text),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", autofocus: true, onclick: close(false) }, "Cancel"),
        h("button", { type: "button", class: "primary", onclick: close(true) }, yes),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
