// Who signs in can plan calls, look at them, and run them in a real PostgreSQL.

import assert from "node:assert/strict";
import { test } from "node:test";
import { button, enter, field, open, plan, quiet, reply, run, signIn, world } from "./browser.mjs";

const at = (command) => ({ hash: `#/connectors/postgres_v2/commands/${command}` });
const kept = (page) =>
  page.evaluate(() =>
    JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]),
  );

test("a wrong token is told so, and the right one stays in the tab until it is signed out", async () => {
  const { page, complaints } = await open();
  await page.getByLabel("Admin token").fill("wrong");
  await button(page, "Sign in").click();
  await page.getByRole("alert").getByText("This is not the token of the admin surface.").waitFor();
  assert.equal(await page.getByText("postgres_v2").count(), 0);
  await page.getByLabel("Admin token").fill("two words");
  await button(page, "Sign in").click();
  await page.getByRole("alert").getByText("no spaces").waitFor();
  await signIn(page);
  assert.deepEqual(JSON.parse(await kept(page)), [{ "airlock-admin-token": world.token }, {}, ""]);
  await page.reload();
  await page.getByRole("heading", { name: "postgres_v2" }).waitFor();
  await button(page, "Sign out").click();
  await page.getByRole("heading", { name: "Airlock console" }).waitFor();
  assert.equal(await page.getByText("postgres_v2").count(), 0);
  assert.deepEqual(JSON.parse(await kept(page)), [{}, {}, ""]);
  // One that was right once is asked for again.
  await page.evaluate(() => sessionStorage.setItem("airlock-admin-token", "of-yesterday"));
  await page.reload();
  await page.getByRole("alert").getByText("not the one of the admin surface").waitFor();
  assert.deepEqual(JSON.parse(await kept(page)), [{}, {}, ""]);
  quiet(complaints, 401);
});

test("what is changed while its plan is made has to be planned again", async () => {
  const { page, complaints } = await enter(at("DropTableV2"));
  let release;
  const released = new Promise((then) => (release = then));
  await page.route("**/plan", async (route) => {
    await released;
    await route.continue();
  });
  await button(page, "Plan").click();
  await field(page, "table_name").fill("people");
  release();
  await page.getByText('DROP TABLE IF EXISTS "users"').waitFor();
  await page.getByText("The call was changed. Plan it again.").waitFor();
  assert.equal(await button(page, "Run").isEnabled(), false);
  quiet(complaints);
});

test("a table is created, filled and read", async () => {
  const { page, complaints } = await enter(at("CreateTableV2"));
  await page.getByRole("heading", { name: "CreateTableV2" }).waitFor();
  assert.equal(await button(page, "Run").isEnabled(), false);
  // The example of the manifest stands in the form.
  assert.equal(await field(page, "table_name").inputValue(), "users");
  await field(page, "column_definitions").fill(
    '[{"name": "id", "type": "serial PRIMARY KEY"}, {"name": "name", "type": "text UNIQUE"}, {"name": "amount", "type": "numeric"}]',
  );
  await plan(page);
  await page.getByText('CREATE TABLE IF NOT EXISTS "users"').waitFor();
  assert.equal(await button(page, "Run").isEnabled(), true);
  // What is changed after a plan has to be planned again.
  await field(page, "table_name").fill("people");
  assert.equal(await button(page, "Run").isEnabled(), false);
  await page.getByText("The call was changed. Plan it again.").waitFor();
  await field(page, "table_name").fill("users");
  assert.equal(await button(page, "Run").isEnabled(), false);
  await plan(page);
  // A write asks first, and nothing is done where the answer is no.
  await button(page, "Run").click();
  await page.getByRole("dialog").getByText("in orders").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await reply(page).getByText("Nothing ran yet.").waitFor();
  await run(page, true);
  await reply(page).getByText("committed").waitFor();

  await page.getByRole("link", { name: "InsertValuesV2" }).click();
  await page.getByRole("heading", { name: "InsertValuesV2" }).waitFor();
  await field(page, "columns").fill('["name", "amount"]');
  await field(page, "values").fill(
    JSON.stringify([
      ["Ann", 1],
      ["Bob", null],
      [world.markup, 0],
    ])
      .replace(", 0]", "]")
      .replace('"Ann",1', '"Ann",12345678901234567890.12345678901234567890'),
  );
  await plan(page);
  await page.getByText("Once for each row of").waitFor();
  await page.getByText("(3 rows)").waitFor();
  await run(page, true);
  await reply(page).getByText("3 rows affected").waitFor();

  await page.getByRole("link", { name: "SelectValuesV2" }).click();
  await page.getByRole("heading", { name: "SelectValuesV2" }).waitFor();
  await button(page, "JSON").click();
  await page
    .getByLabel("Parameters")
    .fill(
      '{"table_name": "users", "schema": {"columns": ["name", "amount"], "where": [["id", "<", 9007199254740993]], "order_by": ["id"], "rows": "objects"}}',
    );
  await button(page, "Fields").click();
  assert.equal(await field(page, "where").inputValue(), '[["id", "<", 9007199254740993]]');
  await plan(page);
  await page.getByText("/schema/where/0/2").waitFor();
  await run(page, false);
  const cells = await page
    .getByRole("region", { name: "Rows" })
    .locator("th, td")
    .allTextContents();
  assert.deepEqual(cells, [
    "name",
    "amount",
    "Ann",
    "12345678901234567890.12345678901234567890",
    "Bob",
    "NULL",
    world.markup,
    "0",
  ]);
  quiet(complaints);
});

test("an error has its code, its place and its outcome", async () => {
  const { page, complaints } = await enter(at("InsertValuesV2"));
  await page.getByRole("heading", { name: "InsertValuesV2" }).waitFor();
  await field(page, "columns").fill('["name"]');
  await field(page, "values").fill('[["Cid"], ["Ann"]]');
  await plan(page);
  await run(page, true);
  for (const text of [
    "UniqueViolation",
    "/schema/values/1",
    "aborted: nothing is stored",
    "23505",
    "users_name_key",
  ]) {
    await reply(page).getByText(text, { exact: true }).waitFor();
  }
  assert.equal(await field(page, "values").getAttribute("aria-invalid"), "true");
  // What cannot be planned cannot be run.
  await field(page, "columns").fill('["name", "name; --"]');
  await button(page, "Plan").click();
  const planned = page.getByRole("region", { name: "Plan", exact: true });
  await planned.getByText("SyntaxError", { exact: true }).waitFor();
  assert.equal(await button(page, "Run").isEnabled(), false);
  await field(page, "columns").fill("[not JSON");
  await button(page, "Plan").click();
  await page.getByText("this is not JSON").first().waitFor();
  assert.equal(
    await field(page, "columns").evaluate((element) => element === document.activeElement),
    true,
  );
  quiet(complaints, 400);
});

test("a connection string is used and kept nowhere", async () => {
  const { page, complaints } = await enter(at("DoSQL"));
  await page.getByRole("heading", { name: "DoSQL" }).waitFor();
  const secret = page.getByLabel("Connection string");
  await secret.waitFor({ state: "hidden" });
  await plan(page);
  await page.getByText("It will run in orders.").waitFor();
  await page.getByLabel("Database").selectOption("connection string…");
  assert.equal(await button(page, "Run").isEnabled(), false);
  assert.equal(await secret.getAttribute("type"), "password");
  await secret.fill(world.dsn);
  await field(page, "sql").fill("SELECT current_database(), %s");
  await field(page, "values").fill('["<b>"]');
  await plan(page);
  await run(page, true);
  await page.getByRole("cell", { name: "<b>" }).waitFor();
  assert.equal((await kept(page)).includes("password="), false);
  assert.equal((await page.content()).includes(world.dsn), false);
  await button(page, "Sign out").click();
  await signIn(page);
  await page.getByRole("heading", { name: "DoSQL" }).waitFor();
  assert.equal(await page.getByLabel("Connection string").inputValue(), "");
  quiet(complaints);
});

test("a call can be stopped, and a reply has to be short enough to be read", async () => {
  const { page, complaints } = await enter(at("DoSQL"));
  await page.getByRole("heading", { name: "DoSQL" }).waitFor();
  await field(page, "sql").fill("SELECT pg_sleep(600)");
  await field(page, "values").fill("null");
  await plan(page);
  await button(page, "Run").click();
  await page.getByRole("dialog").getByRole("button", { name: "Run it" }).click();
  await button(page, "Stop").click();
  await reply(page).getByText("Stopped. It is rolled back").waitFor();
  await page.getByRole("link", { name: "SelectValuesV2" }).click();
  await page.getByRole("heading", { name: "SelectValuesV2" }).waitFor();
  await field(page, "table_name").fill("generate_series_of_text");
  await field(page, "columns").fill('["text"]');
  await field(page, "where").fill("");
  await plan(page);
  await button(page, "Run").click();
  await reply(page).getByText("The reply is too long to be shown").waitFor();
  quiet(complaints);
});

test("figures follow what happens", async () => {
  const { page, complaints } = await enter({ hash: "#/figures" });
  const told = page.locator("figure", { hasText: "Calls a second" });
  await told.getByText(/since the start/).waitFor();
  const calls = async () =>
    Number(
      /^([\d,]+) since/.exec(await told.locator(".muted").textContent())[1].replaceAll(",", ""),
    );
  const before = await calls();
  assert.equal(before > 0, true);
  const call = { database_connection_str: "orders", schema: { sql: "SELECT 1 / 0" } };
  const path = "/v1/connectors/postgres_v2/commands/DoSQL/run";
  const headers = { Authorization: `Bearer ${world.token}` };
  for (let made = 0; made < 3; made += 1) {
    await page.request.post(`${world.base}${path}`, { data: call, headers });
  }
  await told.getByText(new RegExp(`^${before + 3} since the start`)).waitFor();
  // Lines are drawn, and said for those who do not see them.
  await told.locator('path.first[d*="L"]').waitFor({ state: "attached" });
  await page.getByRole("img", { name: /^Calls a second: [\d.]+/ }).waitFor();
  await page
    .getByRole("img", { name: /^Time of a call, p50 and p99: [\d.]+ (µs|ms|s) · / })
    .waitFor();
  await page.getByRole("img", { name: /^Plans from the cache: [\d.]+ %/ }).waitFor();
  await page.getByRole("img", { name: /^orders: 0 of 16/ }).waitFor();
  const row = page.getByRole("row", { name: /postgres_v2\/DoSQL/ });
  await row.getByText(/database 3/).waitFor();
  quiet(complaints);
});

test("a keyboard is enough", async () => {
  const { page, complaints } = await open(at("SelectValuesV2"));
  const focused = () =>
    page.evaluate(() => document.activeElement.textContent || document.activeElement.id);
  const tabTo = async (found) => {
    for (let steps = 0; steps < 80; steps += 1) {
      if (await page.evaluate(found)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`it cannot be reached; the focus is at ${await focused()}`);
  };
  // The field for the token has the focus.
  await page.getByLabel("Admin token").waitFor();
  await page.keyboard.type(world.token);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "SelectValuesV2" }).waitFor();
  // From the top, the first stop leads past the navigation.
  await page.reload();
  await page.getByRole("heading", { name: "SelectValuesV2" }).waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await tabTo(() => document.activeElement.labels?.[0]?.textContent.startsWith("table_name"));
  assert.notEqual(
    await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle),
    "none",
  );
  await page.keyboard.press("Control+a");
  await page.keyboard.type("pg_database");
  await tabTo(() => document.activeElement.labels?.[0]?.textContent.startsWith("columns"));
  await page.keyboard.press("Control+a");
  await page.keyboard.type('["datname"]');
  await tabTo(() => document.activeElement.labels?.[0]?.textContent.startsWith("where"));
  await page.keyboard.press("Control+a");
  await page.keyboard.type('[["datname", "=", "postgres"]]');
  await tabTo(() => document.activeElement.textContent === "Plan");
  await page.keyboard.press("Enter");
  await page.getByRole("status").getByText("Run is enabled").waitFor({ state: "attached" });
  await tabTo(() => document.activeElement.textContent === "Run");
  await page.keyboard.press("Enter");
  await page.getByRole("cell", { name: "postgres" }).waitFor();
  await page.getByRole("status").getByText("1 row").waitFor({ state: "attached" });
  // A write asks, and the safe answer has the focus.
  await page.getByRole("link", { name: "DropTableV2" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "DropTableV2" }).waitFor();
  await tabTo(() => document.activeElement.labels?.[0]?.textContent.startsWith("table_name"));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("nothing");
  await page.keyboard.press("Enter");
  await page.getByRole("status").getByText("Run is enabled").waitFor({ state: "attached" });
  await tabTo(() => document.activeElement.textContent === "Run");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  assert.equal(await focused(), "Cancel");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await reply(page).getByText("committed").waitFor();
  quiet(complaints);
});
