// A clerk imports a list: a messy file is dropped, looked at, accepted, stopped; at each width.
const head = "姓名,身份证号,村社区,门牌\n";

/** Somebody made up, by number: the county part 99 belongs to nobody. */
function idNumber(n) {
  const day = new Date(Date.UTC(1931, 0, 1) + n * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
  const body = `370799${day}012`;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  return body + "10X98765432"[weights.reduce((sum, weight, at) => sum + weight * Number(body[at]), 0) % 11];
}

const rows = (count, village, from = 0) => Array.from({ length: count }, (_, n) => `王秀英,${idNumber(from + n)},${village},${n}号\n`).join("");

const drop = async (page, name, text) => {
  await page.goto("/imports");
  // The island sends the file as soon as it is chosen.
  await Promise.all([page.waitForURL(/\/imports\/\d+/), page.setInputFiles("#file", { name, mimeType: "text/csv", buffer: Buffer.from(text) })]);
};
const settled = (page) => page.waitForFunction(() => !document.querySelector("#progress"), null, { timeout: 60_000 });

export default async function importing(ctx) {
  let page = await ctx.signInAs("wangxiufang");
  await ctx.go("/imports");
  await ctx.shot("drop");

  // The clerk's own village, as the register writes it: a wrong name is answered with what to do, so ask for one.
  await drop(page, "试.csv", `${head}王秀英,${idNumber(1)},没有这个村,1号\n`);
  await settled(page);
  ctx.expect((await page.locator("tr.problem .why").count()) === 1, "a village nobody knows is a problem row");
  await page.locator('form[action$="/cancellation"] button').first().click();
  await page.waitForURL(/\/imports\/\d+/);
  ctx.expect((await page.locator("main").innerText()).includes("没有保存任何内容"), "a cancelled import says that nothing was stored");

  const village = await page.evaluate(async () => {
    const step = await (await fetch("/api/v1/regions")).json();
    return JSON.stringify(step).match(/"([^"]{2,12}(?:社区|村))"/)?.[1];
  });
  if (!village) return ctx.expect(false, "the clerk's villages can be asked for");

  const wrong = `李桂芳,${idNumber(5).slice(0, 17)}${idNumber(5).endsWith("1") ? 2 : 1},${village},1号\n刘玉兰,4.10299E+17,${village},2号\n`;
  await drop(page, "北街高龄老人.csv", `北街高龄老人名单\n${head}${rows(60, village)}${wrong}合计,62,,\n`);
  const at = page.url();
  await settled(page);
  for (const width of [360, 768, 1440]) {
    page = await ctx.page(width);
    await ctx.go(at);
    await page.locator("details.card summary").click();
    await ctx.shot("look");
  }
  ctx.expect((await page.locator("tbody tr.problem").first().innerText()).includes("李桂芳"), "problem rows come first");
  const [file] = await Promise.all([page.waitForEvent("download"), page.locator('a[href$="/errors"]').click()]);
  ctx.expect(file.suggestedFilename().includes("错误说明"), "the clerk's own file comes back with what is wrong");
  await page.locator('form[action$="/acceptance"] button').click();
  await settled(page);
  ctx.expect((await page.locator("main").innerText()).includes("新登记 60 人"), "sixty people are on the register");
  await ctx.shot("done");

  // A long one goes on while one looks elsewhere, and can be stopped from there.
  await drop(page, "全街道.csv", head + rows(9_000, village, 1_000));
  await settled(page);
  await page.locator('form[action$="/acceptance"] button').click();
  await page.waitForSelector("#progress progress");
  const long = page.url();
  await ctx.shot("storing");
  await ctx.go("/imports");
  await page.waitForSelector("#tray .task progress");
  await ctx.shot("tray");
  await page.locator("#tray button").click();
  await page.waitForURL(long);
  const said = await page.locator("main").innerText();
  ctx.expect(/停止前已保存的保留：新登记 [\d,]+ 人/.test(said), "whoever stops an import is told what was stored");
  for (const width of [360, 768, 1440]) {
    await ctx.page(width);
    await ctx.go("/imports");
    await ctx.shot("list");
  }
}
