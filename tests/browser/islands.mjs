// The page scripts by themselves, in a real Chromium against a stand-in server
// that can fail: a line that drops, notes that cannot be saved, a phone without a
// network, a session that has ended. `node tests/browser/islands.mjs`
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { startServer } from "./islands/server.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
/** The smallest picture there is. */
const PIXEL = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
/** Long enough for a loaded machine; a wait ends as soon as its fact holds. */
const PATIENCE_MS = 10_000;

let passed = 0;
let failed = 0;

/** Waits until `fact` holds; a fact that never does is a failure and the rest goes on. */
async function holds(sentence, fact) {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    if (await Promise.resolve(fact()).catch(() => false)) {
      passed += 1;
      return;
    }
    await new Promise((later) => setTimeout(later, 50));
  }
  failed += 1;
  console.log(`  FAILED  ${sentence}`);
}

async function desk(browser, server) {
  const page = await (await browser.newContext()).newPage();
  const text = (selector) => page.locator(selector).textContent();
  const focus = (what) => page.evaluate((name) => document.activeElement?.[name], what);
  await page.goto(server.url);
  await holds("a clock counts from the time it was given", async () => /^01:0\d$/.test(await text(".clock")));

  await holds("the page listens", () => server.streams.length === 1);
  server.streams.at(-1).write("event: order-placed\ndata: 7\n\n");
  await holds("an event fetches its part of the page", async () => (await text("ol")).includes("fresh"));
  await holds("a part about another thing stays as it is", async () => (await text("#eight")) === "eight");
  server.streams.at(-1).write("event: order-placed\ndata: 8\n\n");
  await holds("and is fetched when it is the one", async () => (await text("#eight")).includes("fresh"));
  await holds("sound is off until somebody touches the page, and the button says so", async () => ["打开声音", "声音已开"].includes(await text("[data-sound]")));
  server.streams.at(-1).write("event: alarm-raised\ndata: 1\n\n");
  await holds("what rings is counted in the title", async () => (await page.title()) === "(1) t");
  await holds("and said in words", async () => (await text("#announce")) === "新警情 王**");
  await page.keyboard.press("k");
  await holds("after any key it can be heard", async () => (await text("[data-sound]")) === "声音已开");
  await page.keyboard.press("m");
  await holds("and be silenced", async () => (await text("[data-sound]")) === "已静音");
  const before = await text("ol");
  server.streams.at(-1).destroy();
  await holds("a dropped line is told", async () => (await text("#connection")) === "断线");
  await holds("and comes back by itself", async () => (await text("#connection")) === "在线");
  await holds("and what may have been missed is fetched", async () => (await text("ol")) !== before);

  await page.keyboard.press("/");
  await holds("/ goes to the search", async () => (await focus("id")) === "search");
  await page.keyboard.type("jk");
  await holds("letters typed into a field are text", async () => (await page.inputValue("#search")) === "jk");
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await holds("j moves down the rows", async () => (await focus("textContent")) === "r2");
  await page.keyboard.press("?");
  await holds("? lists the keys of the page", async () => (await text("dialog#keys[open] .key-list")).includes("热线"));
  await page.keyboard.press("Escape");

  await page.click(".eye");
  await page.fill("dialog#reveal[open] #reason", "核对身份");
  await page.click("#show");
  await holds("a value opens after a reason, as text and never as markup", async () => (await text(".masked .value")) === "<b>410202</b>");

  await page.fill("#cmd", "fa");
  await page.keyboard.press("Tab");
  await holds("the command line completes", async () => (await page.inputValue("#cmd")) === "fall " && (await text(".cmd-ghost")) === "跌倒");
  await page.keyboard.press("Enter");
  await holds("and does what it says", () => page.isChecked("input[name=kind]"));

  server.mood.notesFail = 1;
  await page.fill("textarea", "左髋疼");
  await holds("notes that cannot be saved are told", async () => (await text(".saved")) === "没有存上");
  await holds("and are kept in the browser", async () => (await page.evaluate(() => JSON.parse(localStorage.getItem("notes 7 /notes") ?? "{}").text)) === "左髋疼");
  await holds("and saved when the server is back", async () => (await text(".saved")).startsWith("已保存"));
  await page.locator("textarea").blur();

  // Two people at one browser: what one typed and could not save is not the other's.
  server.mood.notesFail = 1_000;
  await page.fill("textarea", "甲写的，没有存上");
  await holds("what one typed waits under one's own name", () => page.evaluate(() => localStorage.getItem("notes 7 /notes")?.includes("甲写的") === true));
  await page.goto(`${server.url}/?as=8`);
  await page.waitForFunction(() => document.querySelector("[data-sound]")?.hidden === false);
  await holds("another account finds nothing of it", async () => (await page.inputValue("textarea")) === "");
  await page.fill("textarea", "乙写的");
  await page.goto(`${server.url}/?as=7`);
  await holds("whoever comes back finds one's own", async () => (await page.inputValue("textarea")) === "甲写的，没有存上");
  await page.click("#leave");
  await holds("signing out leaves nothing of one's own in the browser", () => page.evaluate(() => localStorage.getItem("notes 7 /notes") === null && localStorage.getItem("notes 8 /notes") !== null));
  server.mood.notesFail = 0;
  await page.goto(server.url);
  await page.keyboard.press("g");
  await page.keyboard.press("h");
  await holds("g and a letter go to a desk", () => page.url().endsWith("/other"));
  await page.context().close();
}

async function phone(browser, server) {
  const setting = await browser.newContext({ permissions: ["geolocation"], geolocation: { latitude: 34.79, longitude: 114.34 } });
  const page = await setting.newPage();
  const text = (selector) => page.locator(selector).textContent();
  const second = async () => (await page.isVisible("#start")) && !(await page.isVisible("#arrive"));
  await page.goto(`${server.url}/carer/visits/7`);
  await holds("the pages of the day are kept", () => page.evaluate(async () => (await (await caches.open("carer-1")).keys()).length >= 4));

  await setting.setOffline(true);
  await page.reload();
  await holds("a page opens without a network", async () => (await text("#connection")) === "离线");
  await page.click("#arrive button");
  await holds("a step without a network waits", async () => (await text("#connection")) === "离线，未上传 1 项");
  await holds("and the next one is offered", second);
  await page.setInputFiles("input[type=file]", { name: "a.png", mimeType: "image/png", buffer: PIXEL });
  await holds("a photo is shown", async () => (await page.locator(".photo-list img").count()) === 1);
  await page.click("#start button");
  await holds("a second step waits behind the first", async () => (await text("#connection")).includes("2 项"));
  await page.reload();
  await holds("both outlive a reload", async () => (await text("#connection")).includes("2 项"));
  await holds("and a kept page knows what was taken", second);

  server.mood.signedOut = true;
  await setting.setOffline(false);
  await holds("an ended session loses nothing", async () => (await text("#connection")) === "请重新登录，未上传 2 项");
  server.mood.signedOut = false;
  await page.reload();
  await holds("both are sent", () => server.posts.length === 2);
  await holds("in their order", () => server.posts[0]?.path.endsWith("arrival") && server.posts[1]?.path.endsWith("start"));
  for (const name of ["client_key", "device_time", "device_seq", "lat", "lng", "accuracy"]) {
    await holds(`a step carries ${name}`, () => server.posts[0]?.body.includes(`name="${name}"`));
  }
  await holds("and the button's value and the photo", () => server.posts[1]?.body.includes('name="how"') && server.posts[1]?.body.includes('filename="photo.jpg"'));
  await holds("nothing waits", async () => (await text("#connection")) === "在线" && (await page.isVisible("#arrive")));

  server.mood.refuse = true;
  await page.click("#arrive button");
  await holds("a refusal is shown in the server's words", async () => (await text(".queue-state")).includes("还没到时间"));
  await holds("and the step stays for another try", () => page.isVisible("#arrive"));
  await page.click(".queue-state button");
  await holds("until it has been read", async () => (await text(".queue-state")) === "");
  await setting.close();
}

const server = await startServer(join(root, "crates/web/dist"));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
for (const part of [desk, phone]) {
  await part(browser, server).catch((error) => {
    failed += 1;
    console.log(`  FAILED  ${part.name}: ${error.message}`);
  });
}
await browser.close();
server.close();
console.log(`islands: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
