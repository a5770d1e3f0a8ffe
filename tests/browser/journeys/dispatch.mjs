// An order is dragged onto somebody's day: every row says whether it fits and why, a
// row it does not fit answers with the reason, one it fits takes it; the same day on
// a map, by keys.

/** The simulated colleagues send people too, so an order may be gone when it is wanted. */
const TRIES = 6;

/** An order for one carer which somebody on the board may take and somebody else may not. */
async function choose(ctx, page) {
  await ctx.go("/dispatch");
  const orders = await page.locator(".visit-card").evaluateAll((cards) => cards.map((card) => card.dataset.order));
  for (const order of orders) {
    await ctx.go(`/dispatch?order=${order}`);
    const rows = await page.evaluate(async (id) => {
      const answer = await fetch(`/dispatch/${id}/fits`);
      const fits = answer.ok ? await answer.json() : { two: true, carers: [] };
      const shown = [...document.querySelectorAll(".lane[data-carer]")].map((row) => row.dataset.carer);
      const one = (good) => fits.carers.find((fit) => fit.fits === good && shown.includes(fit.carer));
      return fits.two ? null : { yes: one(true), no: one(false) };
    }, order);
    if (rows?.yes && rows.no && (await page.locator(`#order-${order}`).count())) return { order, ...rows };
  }
  return null;
}

/** Takes the card into the hand and over the row of a carer. */
async function drag(page, order, carer) {
  const card = page.locator(`#order-${order}`);
  await card.scrollIntoViewIfNeeded();
  const from = await card.boundingBox();
  await page.mouse.move(from.x + 40, from.y + 12);
  await page.mouse.down();
  await page.mouse.move(from.x + 80, from.y + 20, { steps: 4 });
  await page.waitForSelector(".lane[data-fit]");
  const row = page.locator(`.lane[data-carer="${carer}"]`).first();
  await row.scrollIntoViewIfNeeded();
  const to = await row.boundingBox();
  await page.mouse.move(to.x + 300, to.y + to.height / 2, { steps: 6 });
  return row;
}

export default async function dispatch(ctx) {
  const page = await ctx.signInAs("zhaolei");
  ctx.allow(/status of 4(09|22)/);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const chosen = await choose(ctx, page);
    if (!chosen) continue;
    const { order, yes, no } = chosen;

    let row = await drag(page, order, yes.carer);
    ctx.expect((await row.textContent()).includes("合适"), "a row that fits says so");
    ctx.expect((await page.locator(`.lane[data-carer="${no.carer}"] .fit`).first().textContent()).includes(no.why), "one that does not says why");
    ctx.expect(await row.locator(".block.held").count(), "and the hour is shown on the row");
    await ctx.shot("dragging");
    await page.keyboard.press("Escape");
    ctx.expect((await page.locator(".lane[data-fit], .drag-ghost").count()) === 0, "Escape puts it back");
    await page.mouse.up();

    await drag(page, order, no.carer);
    await Promise.all([page.waitForNavigation(), page.mouse.up()]);
    ctx.expect(await page.locator("#problem").count(), "dropping it where it does not fit is answered with the reason");
    await ctx.shot("refused");

    await ctx.go(`/dispatch?order=${order}`);
    if (!(await page.locator(`#order-${order}`).count())) continue;
    await drag(page, order, yes.carer);
    await Promise.all([page.waitForNavigation(), page.mouse.up()]);
    // Somebody else may have been faster: then another order is tried.
    if (!(await page.locator("#toasts").textContent()).includes("已派给")) continue;
    return map(ctx, page);
  }
  ctx.problem(`no order could be dragged onto somebody's day in ${TRIES} tries`);
}

async function map(ctx, page) {
  await ctx.go("/dispatch");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("m")]);
  ctx.expect(await page.locator("svg.map .mark").count(), "the map shows what waits and who is where");
  ctx.expect((await page.locator("svg.map a[aria-current]").count()) === 1, "the chosen order is marked");
  await ctx.shot("map");
  const other = page.locator("svg.map a:not([aria-current]):has(.order, .late)").first();
  if (await other.count()) {
    await other.focus();
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    ctx.expect(/view=map/.test(page.url()), "a mark opens its order and the map stays");
  }
  await page.evaluate(() => document.activeElement?.blur?.());
  await Promise.all([page.waitForNavigation(), page.keyboard.press("l")]);
  ctx.expect(await page.locator(".lane-grid").count(), "and the timeline is one key away");
  for (const width of [360, 768]) {
    await ctx.page(width);
    await ctx.go("/dispatch");
    await ctx.shot("desk");
    await ctx.go("/dispatch?view=map");
    await ctx.shot("map");
  }
}
