// Signing in through the demo's role switcher, at each width and by keyboard.
export default async function signIn(ctx) {
  for (const width of [360, 768, 1440]) {
    const page = await ctx.page(width);
    await ctx.go("/sign-in");
    await ctx.shot("door");
    ctx.expect((await page.locator("button[data-persona]").count()) >= 5, "at least five roles to try in the demo");
  }

  const page = await ctx.signInAs("hujing");
  await ctx.shot("inside");
  ctx.expect(await page.locator("header.bar .desk-nav a[aria-current]").count(), "the desk one is at is marked in the bar");

  await page.keyboard.press("/");
  ctx.expect(await page.evaluate(() => document.activeElement?.id === "search"), "the key / puts the cursor into the search box");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  ctx.expect(await page.locator("dialog#keys[open] .key-list li").count(), "the key ? lists the keys of the page");
  await ctx.axe();
  await page.keyboard.press("Escape");

  await page.locator("header.bar details.menu summary").click();
  await ctx.shot("menu");
  await page.locator('header.bar button[name="theme"][value="large"]').click();
  ctx.expect((await page.locator("html").getAttribute("data-theme")) === "large", "large type is kept after choosing it");
  await page.locator("header.bar details.menu summary").click();
  await Promise.all([page.waitForURL(/\/sign-in/), page.locator('form[action="/sign-out"] button').click()]);
  await ctx.shot("left");
}
