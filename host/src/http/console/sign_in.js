// The question for the token.

import * as api from "./api.js";
import { freshId, h } from "./dom.js";

/** Asks for the token; `then` gets the first status that it opens. `why` says why it is asked for again. */
export function signIn(then, why = "") {
  const [id, hintId, errorId] = [freshId(), freshId(), freshId()];
  const input = h("input", {
    id,
    type: "password",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": `${hintId} ${errorId}`,
  });
  const error = h("p", { id: errorId, class: "error", role: "alert" }, why);
  const button = h("button", { type: "submit", class: "primary" }, "Sign in");

  async function submit(event) {
    event.preventDefault();
    const given = input.value.trim();
    error.textContent = "";
    if (!/^[\x21-\x7e]+$/.test(given))
      return fail("A token has visible ASCII characters and no spaces.");
    button.disabled = true;
    api.setToken(given);
    try {
      then(await api.status());
    } catch (refused) {
      api.setToken(null);
      fail(
        refused.status === 401
          ? "This is not the token of the admin surface. Nothing was shown."
          : refused.message,
      );
    }
    button.disabled = false;
  }

  function fail(message) {
    error.textContent = message;
    input.setAttribute("aria-invalid", "true");
    input.focus();
    input.select();
  }

  const element = h(
    "form",
    { class: "card sign-in", novalidate: true, onsubmit: submit },
    h("h1", { tabindex: -1 }, "Airlock console"),
    h("label", { for: id }, h("span", { class: "name" }, "Admin token")),
    h(
      "p",
      { id: hintId, class: "summary" },
      "The value of AIRLOCK_ADMIN_TOKEN, or of the file that token_file of [admin] names. It is kept for this tab only.",
    ),
    input,
    error,
    h("div", { class: "actions" }, button),
  );
  return { element, focus: () => input.focus() };
}
