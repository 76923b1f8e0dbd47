// What manifests, plans and databases say stays text, and what a policy refuses is not run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { button, enter, field, plan, quiet, run, world } from "./browser.mjs";

const images = (page) => page.locator("main img, nav.connectors img, main script").count();

test("a hostile manifest is shown as it is written", async () => {
  const { page, complaints } = await enter({ hash: "#/connectors/hostile/commands/C" });
  await page.getByRole("heading", { name: "C", exact: true }).waitFor();
  await page.getByText(`version ${world.markup}`).waitFor();
  await page.getByText("Errors that it can answer").click();
  await page.getByText("more, optional").click();
  assert.equal((await page.getByText(world.markup).count()) > 4, true);
  assert.equal(await images(page), 0);
  // A member called like something of JavaScript is a member like others.
  await page.getByLabel("constructor").selectOption(world.markup);
  await field(page, "p").fill('["x"]');
  await button(page, "JSON").click();
  const written = JSON.parse(await page.getByLabel("Parameters").inputValue());
  assert.equal(
    Object.getOwnPropertyDescriptor(written, "__proto__").value.constructor,
    world.markup,
  );
  await plan(page);
  for (const part of ["versions", "policy"]) {
    await page.goto(`${world.base}/console#/connectors/hostile/${part}`);
    await page.locator("h2", { hasText: part === "policy" ? "Policy" : "Versions" }).waitFor();
    assert.equal(await images(page), 0);
  }
  quiet(complaints);
});

test("a hostile address leads nowhere", async () => {
  for (const hash of [
    `#/connectors/${encodeURIComponent(world.markup)}`,
    "#/connectors/%E0%A4%A",
    "#/connectors/postgres_v2/commands/__proto__",
    `#/connectors/hostile/commands/${encodeURIComponent(world.markup)}`,
  ]) {
    const { page, complaints } = await enter({ hash });
    await page.getByText(/There is no connector|has no command/).waitFor();
    assert.equal(await images(page), 0);
    quiet(complaints);
  }
});

test("hostile rows, names of columns and errors are shown as they are", async () => {
  const { page, complaints } = await enter({ hash: "#/connectors/postgres_v2/commands/DoSQL" });
  await page.getByRole("heading", { name: "DoSQL" }).waitFor();
  const quoted = world.markup.replaceAll("'", "''");
  await field(page, "sql").fill(
    `SELECT '${quoted}' AS "${world.markup.replaceAll('"', '""').slice(0, 60)}", json_build_object('__proto__', '${quoted}') AS "__proto__"`,
  );
  await field(page, "values").fill("null");
  await page.getByText("more, optional").click();
  await page.getByLabel("rows").selectOption("objects");
  await plan(page);
  await run(page, false);
  await page.getByRole("cell", { name: world.markup, exact: true }).waitFor();
  await page.getByRole("columnheader", { name: "__proto__" }).waitFor();
  assert.equal(await images(page), 0);
  await field(page, "sql").fill(`SELECT CAST('${quoted}' AS integer)`);
  await plan(page);
  await run(page, false);
  await page.getByText("invalid input syntax for type integer").first().waitFor();
  assert.equal(await images(page), 0);
  quiet(complaints);
});

test("what the policy refuses cannot be run", async () => {
  const { page, complaints } = await enter({
    hash: "#/connectors/postgres_v2/commands/DropTableV2",
  });
  await page.getByRole("heading", { name: "DropTableV2" }).waitFor();
  await button(page, "Plan").click();
  await page.getByText("The policy refuses this.").waitFor();
  await page.getByText("PolicyDenied").first().waitFor();
  await page.getByText('DROP TABLE IF EXISTS "users"').waitFor();
  assert.equal(await button(page, "Run").isEnabled(), false);
  quiet(complaints);
});

test("what gets into the page all the same neither runs nor is loaded", async () => {
  const { page, complaints } = await enter();
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    const image = document.createElement("img");
    image.src = "https://elsewhere.invalid/";
    document.body.append(script, image);
  });
  const told = () =>
    ["script-src", "img-src"].every((what) =>
      complaints.some((one) => one.startsWith(`policy: ${what}`)),
    );
  while (!told()) await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.equal(await page.evaluate(() => window.ran), undefined);
});
