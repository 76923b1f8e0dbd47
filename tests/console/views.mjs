// Every view, light and dark, on a desk and on a phone: accessible, and no wider than the screen.

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import {
  button,
  DESKTOP,
  enter,
  field,
  hindrances,
  open,
  PHONE,
  plan,
  quiet,
  reply,
  run,
  world,
} from "./browser.mjs";

const VIEWS = {
  "sign-in": async ({ page }) => page.getByLabel("Admin token").waitFor(),
  plan: async ({ page }) => {
    await select(page);
    await plan(page);
  },
  rows: async ({ page }) => {
    await select(page);
    await plan(page);
    await run(page, false);
    await page.getByRole("region", { name: "Rows" }).waitFor();
  },
  confirm: async ({ page }) => {
    await page.goto(`${world.base}/console#/connectors/postgres_v2/commands/DropTableV2`);
    await page.getByRole("heading", { name: "DropTableV2" }).waitFor();
    await plan(page);
    await button(page, "Run").click();
    await page.getByRole("dialog").waitFor();
  },
  error: async ({ page }) => {
    await page.goto(`${world.base}/console#/connectors/postgres_v2/commands/DoSQL`);
    await page.getByRole("heading", { name: "DoSQL" }).waitFor();
    await field(page, "sql").fill("SELECT 1 / %s");
    await field(page, "values").fill("[0]");
    await plan(page);
    await run(page, true);
    await reply(page).getByText("DivisionByZero").waitFor();
  },
  json: async ({ page }) => {
    await select(page);
    await button(page, "JSON").click();
    await page.getByLabel("Parameters").waitFor();
  },
  versions: async ({ page }) => {
    await page.goto(`${world.base}/console#/connectors/a/versions`);
    await page.getByText("is planned differently").waitFor();
  },
  figures: async ({ page }) => {
    await page.goto(`${world.base}/console#/figures`);
    await page.getByRole("img", { name: /^Calls a second: \d/ }).waitFor();
  },
  policy: async ({ page }) => {
    await page.goto(`${world.base}/console#/connectors/postgres_v2/policy`);
    await page.getByText("idempotency_table").waitFor();
  },
};

async function select(page) {
  await page.goto(`${world.base}/console#/connectors/postgres_v2/commands/SelectValuesV2`);
  await page.getByRole("heading", { name: "SelectValuesV2" }).waitFor();
  await button(page, "JSON").click();
  const call = {
    table_name: "pg_type",
    schema: {
      columns: [
        "oid",
        "typname AS name",
        "typlen AS length",
        "typtype AS kind",
        "typdelim AS delimiter",
        "typinput::text AS input",
      ],
      where: [
        ["typname", "LIKE", "int%"],
        ["oid", "<", 10000],
      ],
      order_by: ["oid"],
      rows: "objects",
    },
  };
  await page.getByLabel("Parameters").fill(JSON.stringify(call));
  await button(page, "Fields").click();
}

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, show] of Object.entries(VIEWS)) {
      test(`${name}, ${size}, ${colorScheme}`, async () => {
        const opened = await (name === "sign-in" ? open : enter)({ viewport, colorScheme });
        const { page, complaints } = opened;
        await show(opened);
        assert.deepEqual(await hindrances(page), []);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.equal(wider <= 0, true, `it is ${wider} pixels wider than the screen`);
        if (world.screenshots !== null) {
          await page.evaluate(() => scrollTo(0, 0));
          const file = path.join(world.screenshots, `${name}-${size}-${colorScheme}.png`);
          await page.screenshot({ path: file, fullPage: size === "phone" });
        }
        quiet(complaints);
        await page.context().close();
      });
    }
  }
}
