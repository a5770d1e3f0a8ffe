// A carer's visit on a phone of 360 px: signing in with the phone's position, a
// photograph, the record kept while the network is gone, signing out.
const PIXEL = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=", "base64");

/** The phone stands where the home is: its address says where. */
async function standAtTheDoor(page) {
  const route = await page.locator('a[href^="geo:"]').first().getAttribute("href").catch(() => null);
  const [, latitude, longitude] = /geo:([\d.]+),([\d.]+)/.exec(route ?? "") ?? [];
  if (latitude) await page.context().setGeolocation({ latitude: Number(latitude), longitude: Number(longitude), accuracy: 12 });
}

const step = (page, what) => page.locator(`.next-step form[action$="/${what}"]:not([hidden]) button`);

export default async function carer(ctx) {
  for (const persona of ["fuwu1", "fuwu2", "fuwu3"]) {
    await ctx.signInAs(persona, 360);
    const page = await ctx.page(360, { permissions: ["geolocation"], geolocation: { latitude: 34.8, longitude: 114.35 }, hasTouch: true });
    await ctx.go("/carer");
    await ctx.shot(`day-${persona}`);
    await ctx.go("/carer/pay");
    await ctx.shot(`pay-${persona}`);
    await ctx.go("/carer");
    if (await visit(ctx, page)) return;
  }
  ctx.problem("none of the carers has a visit that can begin now");
}

/** Walks one visit as far as the clock allows; false when there is none to begin. */
async function visit(ctx, page) {
  const open = page.locator(".next-visit h1 a");
  if (!(await open.count())) return false;
  await open.first().click();
  await page.waitForURL(/\/visits\//);
  await standAtTheDoor(page);
  if (await step(page, "acceptance").count()) await Promise.all([page.waitForNavigation(), step(page, "acceptance").click()]);
  ctx.expect(!/tel:/.test(await page.content()), "no telephone number before the door");
  if (await step(page, "arrival").count()) {
    // The step may be too early by the city's clock; then the refusal stands in words.
    ctx.allow(/status of 4(09|22)/);
    await step(page, "arrival").click();
    await page.waitForFunction(() => document.querySelector(".queue-state .note") ?? document.querySelector("[data-with]:not([hidden])"), null, { timeout: 20_000 });
    if (await page.locator(".queue-state .note").count()) {
      ctx.expect(/还没到约定时间|住处|不能签到/.test((await page.textContent(".queue-state")) ?? ""), "a refusal says why and what to do");
      ctx.expect(await step(page, "arrival").isEnabled(), "and the step stays for another try");
      await ctx.shot("refused");
      // At night no visit of the city may begin: what could be tried has been.
      return true;
    }
  }
  await ctx.shot("serving");
  await Promise.all([page.waitForNavigation(), page.setInputFiles('input[type="file"]', { name: "a.png", mimeType: "image/png", buffer: PIXEL })]);
  ctx.expect(await page.locator('.photo-list img[src^="/carer/"]').count(), "the photograph is kept with the visit");
  await page.locator('input[name="tasks"]').first().check();
  await page.fill("#note", "老人临时要出门，提前结束");
  await page.reload();
  ctx.expect((await page.inputValue("#note")).startsWith("老人临时"), "what was typed outlives a reload");
  await page.locator('input[name="satisfied"][value="yes"]').check();
  ctx.allow(/ERR_INTERNET_DISCONNECTED/);
  await page.context().setOffline(true);
  await step(page, "departure").click();
  await page.waitForFunction(() => document.querySelector("#connection")?.textContent?.includes("未上传 1 项"));
  await page.context().setOffline(false);
  await page.waitForFunction(() => document.body.textContent?.includes("待结算"), null, { timeout: 60_000 });
  await ctx.shot("done");
  return true;
}
