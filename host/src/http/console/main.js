// The console: who is signed in, which part is shown, and the status that all parts are kept by.

import * as api from "./api.js";
import { connectorList } from "./connectors.js";
import { connectorView, forgetChoices } from "./connector.js";
import { announce, h } from "./dom.js";
import { figuresView } from "./figures.js";
import { signIn } from "./sign_in.js";

/** Time between two questions for the status in milliseconds. */
const EVERY_MS = 2000;

const main = document.getElementById("main");
const link = document.getElementById("link");
const signOut = document.getElementById("sign-out");
const places = document.getElementById("places");
const sidebar = document.getElementById("connectors");
const list = connectorList(sidebar);

let status = null;
let view = null;
let timer = null;
/** Counts those who signed in. */
let session = 0;

function frame(signedIn) {
  for (const part of [places, sidebar, signOut, link]) part.hidden = !signedIn;
  document.body.classList.toggle("signed-in", signedIn);
}

function ask(why) {
  leave();
  frame(false);
  document.title = "Sign in · Airlock console";
  const question = signIn(enter, why);
  main.replaceChildren(question.element);
  question.focus();
}

function enter(first) {
  status = first;
  frame(true);
  reached();
  show();
  schedule();
}

function leave() {
  clearTimeout(timer);
  view?.close();
  view = null;
  status = null;
  session += 1;
  list.update([]);
  forgetChoices();
}

/** The part that the address names. */
function route() {
  const [first, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
  if (first === "figures") return { place: "figures" };
  const [name = status.connectors[0]?.name, part = "commands", command] =
    first === "connectors" ? rest : [];
  return {
    place: "connectors",
    name,
    part: ["versions", "policy"].includes(part) ? part : "commands",
    command,
  };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function show() {
  view?.close();
  const to = route();
  view =
    to.place === "figures"
      ? figuresView()
      : to.name === undefined
        ? nothing()
        : connectorView(to.name, to.part, to.command, refresh);
  for (const one of places.querySelectorAll("a")) {
    if (one.dataset.place === to.place) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
  document.title = `${view.title} · Airlock console`;
  main.replaceChildren(view.element);
  update();
}

function nothing() {
  const element = h("p", { class: "muted" }, "There is no connector yet.");
  return { element, title: "Connectors", update: () => {}, close: () => {} };
}

function update() {
  const { name } = route();
  list.update(status.connectors, name);
  view.update(status);
}

async function refresh() {
  const mine = session;
  let now;
  try {
    now = await api.status();
  } catch (error) {
    if (session === mine) said("bad", error.message);
    return;
  }
  // Who signed out meanwhile is shown nothing more.
  if (session !== mine) return;
  status = now;
  reached();
  update();
}

function reached() {
  said("ok", `Airlock ${status.version}`);
}

function said(tone, text) {
  const now = `${tone} ${text}`;
  if (link.dataset.said === now) return;
  link.dataset.said = now;
  link.className = `link ${tone}`;
  link.replaceChildren(h("span", { class: `dot ${tone}`, "aria-hidden": "true" }), text);
  if (tone === "bad") announce(text);
}

function schedule() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (!document.hidden) await refresh();
    if (status !== null) schedule();
  }, EVERY_MS);
}

api.onSignedOut(() => {
  if (status === null) return;
  api.setToken(null);
  ask("The token is no longer that of the admin surface. Sign in again.");
});

signOut.addEventListener("click", () => {
  api.setToken(null);
  ask();
  announce("Signed out.");
});

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

addEventListener("hashchange", () => {
  if (status === null) return;
  show();
  main.focus();
  scrollTo(0, 0);
});

async function begin() {
  if (!api.hasToken()) return ask();
  try {
    enter(await api.status());
  } catch (error) {
    if (error.status === 401) api.setToken(null);
    ask(error.message);
  }
}

begin();
