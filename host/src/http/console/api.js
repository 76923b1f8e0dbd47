// Requests to the admin surface, each with the token. The token is kept for this tab only.

const KEY = "airlock-admin-token";

/** Longest reply that is read, in bytes: what is longer is no reading for people. */
const LONGEST_REPLY = 8 << 20;

/** A request that was refused, or that nobody answered; `status` is 0 then. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let token = stored();
let whenSignedOut = () => {};

function stored() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Whether there is a token to try. */
export function hasToken() {
  return token !== null;
}

/** Takes a token, or forgets it. */
export function setToken(given) {
  token = given;
  try {
    if (given === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, given);
  } catch {
    // It is in memory, and asked for again after the next load.
  }
}

/** Has `then` done when the token is refused. */
export function onSignedOut(then) {
  whenSignedOut = then;
}

async function send(method, path, options = {}) {
  const headers = { ...options.headers, Authorization: `Bearer ${token}` };
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: options.body,
      signal: options.signal,
      credentials: "omit",
      redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The server does not answer.");
  }
  if (response.status === 401) {
    whenSignedOut();
    throw new Refused(401, "The token is not the one of the admin surface.");
  }
  return response;
}

async function answer(response) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    throw new Refused(
      response.status,
      `The server answered with status ${response.status} and no JSON.`,
    );
  }
  if (response.ok) return body;
  throw new Refused(
    response.status,
    body?.error?.message ?? `The server answered with status ${response.status}.`,
  );
}

function path(...parts) {
  return ["v1", ...parts.map(encodeURIComponent)].join("/");
}

/** What goes on. */
export const status = async () => answer(await send("GET", path("status")));

/** Figures of the moment. */
export const figures = async () => answer(await send("GET", path("figures")));

/** A connector's commands and policy. */
export const description = async (name) =>
  answer(await send("GET", path("connectors", name, "description")));

/** How the live version of a connector plans beside another one. */
export const compare = async (name, digest) =>
  answer(await send("GET", path("connectors", name, "compare", digest)));

/** Takes a connector's file again. */
export const swap = async (name) => answer(await send("POST", path("connectors", name, "swap")));

/** Puts the version before back. */
export const rollBack = async (name) =>
  answer(await send("POST", path("connectors", name, "rollback")));

const JSON_TYPE = { "Content-Type": "application/json" };

/** Plans a call; gives the text of the answer, which is a plan or an envelope with an error. */
export async function plan(connector, command, text) {
  const response = await send("POST", path("connectors", connector, "commands", command, "plan"), {
    body: text,
    headers: JSON_TYPE,
  });
  return response.text();
}

/** Runs a call if the component that planned it is live. */
export async function run(connector, command, text, plannedBy, signal) {
  const headers = { ...JSON_TYPE, "If-Match": `"${plannedBy}"` };
  const began = performance.now();
  const response = await send("POST", path("connectors", connector, "commands", command, "run"), {
    body: text,
    headers,
    signal,
  });
  const reply = await bounded(response);
  return {
    text: reply,
    took: performance.now() - began,
    outcome: response.headers.get("x-airlock-outcome"),
  };
}

/** The text of a response; null where it is too long, and the call is given up then. */
async function bounded(response) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let [text, length] = ["", 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.length;
    if (length > LONGEST_REPLY) {
      await reader.cancel();
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
}
