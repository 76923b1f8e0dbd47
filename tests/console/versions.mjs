// The versions of a connector are seen as they change, compared, and changed from the page.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { button, enter, field, plan, quiet, world } from "./browser.mjs";

const [one, two, three] = world.digests;
const live = (page, digest) => page.locator("#live-digest", { hasText: digest }).waitFor();

/** Puts a file into the place of the component. */
function put(name) {
  const copy = path.join(world.directory, "copy");
  fs.copyFileSync(path.join(world.directory, name), copy);
  fs.renameSync(copy, path.join(world.directory, "a.wasm"));
}

async function asked(page, name) {
  await button(page, name).click();
  await page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
}

test("versions come, differ, go back and come again without a reload", async () => {
  const { page, complaints } = await enter({ hash: "#/connectors/a/versions" });
  await live(page, one);
  await page.evaluate(() => (window.notReloaded = true));
  await page.getByText("There is no earlier version").waitFor();
  assert.equal(await button(page, "Roll back").isEnabled(), false);

  put("two.bin");
  await live(page, two);
  await page.getByText("1 of 1 example call is planned differently.").waitFor();
  const lines = await page.getByLabel("Difference of the plans").textContent();
  assert.match(lines, /− SELECT 'one'\n\+ SELECT 'two'\n {4}access: read/);

  await asked(page, "Roll back");
  await live(page, one);
  await page.getByText("taken out of service by a rollback").waitFor();

  await asked(page, "Swap");
  await live(page, two);

  fs.writeFileSync(path.join(world.directory, "bad.bin"), "<b>not WebAssembly</b>");
  put("bad.bin");
  await page.getByText("the file is not WebAssembly").waitFor();
  await live(page, two);
  await asked(page, "Swap");
  await page.locator(".said").getByText("the file is not WebAssembly").waitFor();
  assert.equal(await page.evaluate(() => window.notReloaded), true);
  quiet(complaints, 422);
});

test("what was planned by a version that is gone cannot be run", async () => {
  const { page, complaints } = await enter({ hash: "#/connectors/a/commands/C" });
  await page.getByRole("heading", { name: "C", exact: true }).waitFor();
  await live(page, two);
  await field(page, "p").fill('["kept"]');
  await plan(page);
  assert.equal(await button(page, "Run").isEnabled(), true);
  put("three.bin");
  await live(page, three);
  await page.getByText("The connector or its policy changed. Plan the call again.").waitFor();
  assert.equal(await button(page, "Run").isEnabled(), false);
  assert.equal(await field(page, "p").inputValue(), '["kept"]');
  await plan(page);
  await page.getByText("SELECT 'three'").waitFor();
  quiet(complaints);
});
