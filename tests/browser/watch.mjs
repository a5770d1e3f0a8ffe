// Keeps the alarm desk open and says which incidents it shows from when on, for
// `xiyang bench desk`: a line "ready", then "ID MILLISECONDS" for each; ends with its input.
//
//   node tests/browser/watch.mjs http://127.0.0.1:8080 "xiyang=SESSION"
import process from "node:process";
import { chromium } from "playwright-core";

const [origin, session] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"] });
const setting = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "zh-CN" });
const [name, ...value] = session.split("=");
await setting.addCookies([{ name, value: value.join("="), url: origin }]);
const page = await setting.newPage();
await page.exposeFunction("shown", (id, at) => process.stdout.write(`${id} ${at}\n`));
// Seen is what was painted: the frame after the one in which the line came into the page.
await page.addInitScript(() => {
  const known = new Set();
  const look = () => {
    const fresh = [...document.querySelectorAll('.queue [href^="/hotline/alarms/"]')]
      .map((line) => line.getAttribute("href").split("/").pop())
      .filter((id) => !known.has(id));
    for (const id of fresh) known.add(id);
    if (fresh.length > 0) requestAnimationFrame(() => requestAnimationFrame(() => fresh.forEach((id) => globalThis.shown(id, Date.now()))));
  };
  document.addEventListener("DOMContentLoaded", () => {
    look();
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  });
});
await page.goto(`${origin}/hotline`);
await page.waitForSelector(".queue");
process.stdout.write("ready\n");
process.stdin.resume().on("end", async () => {
  await browser.close();
  process.exit(0);
});
