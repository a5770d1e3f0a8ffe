// A call becomes an order by keyboard alone, in at most six keys beside the text;
// what is typed is kept; a second operator is told who was faster.

/** Beside the text of the order itself. */
const KEYS_MOST = 6;
/** A colleague of the simulated city answers too, so several calls may be lost to her. */
const TRIES = 8;

async function answer(page) {
  for (let tries = 0; tries < TRIES; tries += 1) {
    await page.goto("/hotline");
    if (/\/calls\//.test(page.url())) return true;
    // Incidents stand above the telephone; this journey is about calls.
    const ringing = page.locator('.queue [data-rings="call"]').first();
    await ringing.waitFor({ timeout: 60_000 }).catch(() => {});
    if (!(await ringing.count())) continue;
    await page.goto(await ringing.getAttribute("href"));
    if (!(await page.locator('.now button[data-key="a"]').count())) continue;
    await Promise.all([page.waitForNavigation(), page.keyboard.press("a")]);
    if (/\/calls\//.test(page.url()) && (await page.locator("#cmd").count())) return true;
    // Unknown callers are somebody else's journey: they end here. The field that looks for them has the focus.
    if (/\/calls\//.test(page.url())) await Promise.all([page.waitForNavigation(), page.click('.now button[data-key="c"]')]);
  }
  return false;
}

export default async function hotline(ctx) {
  const page = await ctx.signInAs("hujing");
  await ctx.go("/hotline");
  await ctx.shot("desk");
  if (!(await answer(page))) return ctx.problem("no call could be answered");
  let keys = 1; // A
  ctx.expect(await page.evaluate(() => document.activeElement?.id === "cmd"), "the line takes what is typed once the call is answered");
  await ctx.shot("talk");

  await page.keyboard.type("lf");
  ctx.expect(await page.locator(".cmd-list li").count(), "letters offer the items they may mean");
  await page.keyboard.type(" 大后天 9点");
  keys += 1;
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  ctx.expect(await page.locator(".offer").count(), "what it costs is shown before anything is placed");
  await ctx.shot("offer");
  const own = await page.locator('.offer input[name="agreed"][type="checkbox"]').count();
  if (own) {
    keys += 1;
    await page.keyboard.press("Space");
  }
  keys += 1;
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  ctx.expect(await page.locator('.now a[href^="/orders/"]').count(), "the order stands on the desk");
  ctx.expect((await page.locator('input[name="outcome"]:checked').getAttribute("value")) === "ordered", "the outcome is chosen by what happened");

  await page.fill("#notes", "想要会方言的师傅");
  await page.waitForFunction(() => document.querySelector(".saved")?.textContent?.includes("已保存 "));
  await page.reload();
  ctx.expect((await page.inputValue("#notes")) === "想要会方言的师傅", "notes are kept as they are typed");
  await ctx.shot("placed");
  await page.evaluate(() => document.activeElement?.blur?.());
  keys += 1;
  await Promise.all([page.waitForNavigation(), page.keyboard.press("c")]);
  ctx.expect(/\/hotline$/.test(page.url()), "the call is over and the desk is ready for the next");
  ctx.expect(keys <= KEYS_MOST, `an order takes ${keys} keys beside its text`);

  await ctx.go("/calls?outcome=ordered");
  ctx.expect((await page.textContent("main"))?.includes("想要会方言的师傅"), "the call is found in the list of the past");
  await ctx.shot("calls");
  for (const width of [360, 768]) {
    await ctx.page(width);
    await ctx.go("/hotline");
    await ctx.shot("desk");
    await ctx.go("/calls");
    await ctx.shot("calls");
  }
}
