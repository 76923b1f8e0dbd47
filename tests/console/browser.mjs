// Chromium, and pages that are watched: whatever they complain of, and every request that goes elsewhere,
// is a failure.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before } from "node:test";

const packages = createRequire(path.join(process.env.CONSOLE_PACKAGES, "package.json"));
const { chromium } = packages("playwright-core");
const AXE = packages.resolve("axe-core/axe.min.js");

/** What the test told of its server. */
export const world = JSON.parse(process.env.CONSOLE_WORLD);

/** Time for something that has to happen, in milliseconds: the machine may be busy. */
const PATIENCE_MS = 60_000;

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1360, height: 900 };

/** Where Debian puts it. */
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
});
after(() => browser.close());

/** Opens the console in a browser that knows nothing of earlier ones. */
export async function open({ hash = "", viewport = DESKTOP, colorScheme = "light" } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addInitScript({ path: AXE });
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  const page = await context.newPage();
  const complaints = [];
  page.on(
    "console",
    (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()),
  );
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== world.base)
      complaints.push(`a request to ${request.url()}`);
  });
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog of the browser: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.goto(`${world.base}/console${hash}`);
  return { page, complaints };
}

/** Signs in. */
export async function signIn(page) {
  await page.getByLabel("Admin token").fill(world.token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Connectors" }).waitFor();
}

/** Opens the console at a place and signs in. */
export async function enter(options) {
  const opened = await open(options);
  await signIn(opened.page);
  return opened;
}

/** The button of this name. */
export const button = (page, name) => page.getByRole("button", { name, exact: true });

/** A field by the first word of its label. */
export const field = (page, name) => page.getByRole("textbox", { name: new RegExp(`^${name}\\b`) });

/** Plans the call that stands in the form. */
export async function plan(page) {
  await button(page, "Plan").click();
  await page.getByText("Allowed by the policy.").waitFor();
}

/** Runs what was planned; `writes` says that the page has to ask first. */
export async function run(page, writes) {
  await button(page, "Run").click();
  if (writes) await page.getByRole("dialog").getByRole("button", { name: "Run it" }).click();
  await reply(page).getByText(/\d ms/).waitFor();
}

/** The part of the page that shows replies. */
export const reply = (page) => page.getByRole("region", { name: "Reply", exact: true }).first();

/** The findings of axe that hinder people. */
export async function hindrances(page) {
  const found = await page.evaluate(() =>
    axe.run(document, { resultTypes: ["violations"], preload: false }),
  );
  const grave = found.violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  return grave.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("; ")}`,
  );
}

/** Nothing was complained of, but for what the browser itself notes of responses with these statuses. */
export function quiet(complaints, ...statuses) {
  const notes = statuses.map((status) => `the server responded with a status of ${status} (`);
  const rest = complaints.filter((one) => !notes.some((note) => one.includes(note)));
  assert.deepEqual(rest, []);
}
