// Serves assets/gallery with the built stylesheet, takes a picture of each page
// at three widths and checks it with axe. `--serve` keeps serving instead.
// Names of pages may follow, and a theme: `npm run gallery -- hotline people theme=contrast`.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const gallery = join(root, "assets/gallery");
const shots = join(gallery, "shots");
const WIDTHS = [360, 768, 1440];
const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml" };
/** The policy of the real server, so that the gallery cannot lean on what is refused there. */
const POLICY = "default-src 'self'; style-src 'self'; img-src 'self' data: blob:; script-src 'self'";

const options = process.argv.slice(2).filter((word) => !word.startsWith("theme="));
const theme = process.argv.find((word) => word.startsWith("theme="))?.slice("theme=".length) ?? "normal";

async function page(name) {
  let text = await readFile(join(gallery, name), "utf8");
  for (const [whole, file] of [...text.matchAll(/\{include (_[a-z]+\.html)\}/g)]) {
    text = text.replace(whole, await readFile(join(gallery, file), "utf8"));
  }
  text = text.replace('data-theme="normal"', `data-theme="${theme}"`);
  text = text.replace(`<a href="${name}" data-key`, `<a href="${name}" aria-current="page" data-key`);
  return text.replace(/\{icon ([a-z0-9-]+)\}/g, '<svg class="icon" aria-hidden="true"><use href="/assets/icons.svg#$1"/></svg>');
}

const server = createServer(async (request, response) => {
  const path = new URL(request.url, "http://gallery").pathname;
  if (path === "/live") return response.writeHead(200, { "content-type": "text/event-stream" }).write(":\n\n");
  try {
    const body = path.startsWith("/assets/")
      ? await readFile(join(root, "crates/web/dist", path.slice("/assets/".length)))
      : await page(path === "/" ? "index.html" : path.slice(1));
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? TYPES[".html"], "content-security-policy": POLICY });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
});

await new Promise((ready) => server.listen(options.includes("--serve") ? 8088 : 0, "127.0.0.1", ready));
const base = `http://127.0.0.1:${server.address().port}`;
if (options.includes("--serve")) {
  console.log(`gallery: ${base}`);
} else {
  process.exitCode = (await pictures(options)) === 0 ? 0 : 1;
  server.closeAllConnections();
  server.close();
}

async function pictures(only) {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await mkdir(shots, { recursive: true });
  const names = (await readdir(gallery)).filter((name) => /^[a-z-]+\.html$/.test(name)).map((name) => name.replace(".html", ""));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  let problems = 0;
  for (const name of names.filter((name) => only.length === 0 || only.includes(name))) {
    for (const width of WIDTHS) {
      const context = await browser.newContext({ viewport: { width, height: width === 360 ? 760 : 900 }, bypassCSP: true, locale: "zh-CN" });
      const tab = await context.newPage();
      tab.on("console", (message) => message.type() === "error" && tell(name, width, message.text()));
      await tab.goto(`${base}/${name}.html`);
      await tab.screenshot({ path: join(shots, `${name}-${theme === "normal" ? "" : `${theme}-`}${width}.png`), fullPage: true });
      const over = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (over > 0) tell(name, width, `the page is ${over} px wider than the window`);
      await tab.evaluate(axe);
      const { violations } = await tab.evaluate(() => window.axe.run());
      for (const found of violations) {
        if (["serious", "critical"].includes(found.impact)) tell(name, width, `${found.id}: ${found.nodes.map((node) => node.html.slice(0, 110)).slice(0, 3).join(" | ")}`);
      }
      await context.close();
    }
  }
  await browser.close();
  console.log(`gallery: ${problems} problems; pictures in assets/gallery/shots`);
  return problems;

  function tell(name, width, text) {
    problems += 1;
    console.log(`  ${name} ${width}: ${text}`);
  }
}
