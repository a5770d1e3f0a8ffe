// What a journey is given: a tab that is watched, and the few verbs it needs.
//
//   await ctx.signInAs("hotline")   through the demo's buttons on /sign-in
//   const page = await ctx.page(360)  a tab of that width (a new one each call), still signed in
//   await ctx.go("/people")         opens a path in the current tab and waits for it
//   await ctx.shot("list")          a picture in shots/, and a look with axe
//   await ctx.axe()                 only the look with axe
//   ctx.expect(true, "sentence")    a finding when false; the journey goes on
//   ctx.allow(/pattern/)            a console error that this journey provokes on purpose
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const HEIGHTS = { 360: 760, 768: 1024 };

export function context(browser, url, name, shots) {
  const origin = new URL(url).origin;
  const problems = [];
  const allowed = [];
  /** Cookies go from tab to tab, so that a journey signs in once. */
  let state;
  let current = null;

  // The same finding on every page is one finding.
  const problem = (text) => problems.includes(text) || problems.push(text);

  function watch(tab) {
    tab.on("console", (message) => {
      if (message.type() === "error" && !allowed.some((pattern) => pattern.test(message.text()))) problem(`console: ${message.text()} (${tab.url()})`);
    });
    tab.on("pageerror", (error) => problem(`page error: ${error.message} (${tab.url()})`));
    tab.on("request", (request) => {
      const asked = request.url();
      if (/^https?:|^wss?:/.test(asked) && new URL(asked).origin !== origin) problem(`request to another host: ${asked}`);
    });
  }

  async function page(width = 1440, more = {}) {
    if (current) {
      state = await current.context().storageState();
      await current.context().close();
    }
    const setting = await browser.newContext({
      baseURL: url,
      viewport: { width, height: HEIGHTS[width] ?? 900 },
      locale: "zh-CN",
      timezoneId: "Asia/Shanghai",
      storageState: state,
      ...more,
    });
    current = await setting.newPage();
    current.setDefaultTimeout(15_000);
    watch(current);
    return current;
  }

  async function go(path) {
    const tab = current ?? (await page());
    const answer = await tab.goto(path);
    if (!answer || answer.status() >= 400) problem(`${path} answered ${answer?.status()}`);
    return tab;
  }

  async function signInAs(persona, width = 1440) {
    const tab = await page(width);
    await tab.context().clearCookies();
    await go("/sign-in");
    await Promise.all([tab.waitForURL((address) => address.pathname !== "/sign-in"), tab.click(`button[data-persona="${persona}"]`)]);
    return tab;
  }

  async function axe() {
    // Evaluated from outside, which the page's content policy does not touch.
    await current.evaluate(axeSource);
    const { violations } = await current.evaluate(() => globalThis.axe.run());
    for (const { id, impact, help, nodes } of violations) {
      if (impact === "serious" || impact === "critical") problem(`axe ${impact} ${id} at ${current.url()}: ${help}\n  ${nodes.map(({ html }) => html.slice(0, 160)).slice(0, 4).join("\n  ")}`);
    }
  }

  async function shot(label) {
    if (!current) return;
    const width = current.viewportSize().width;
    await current.screenshot({ path: join(shots, `${name}-${label}-${width}.png`), fullPage: true });
    const over = await current.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (over > 0) problem(`${current.url()} is ${over} px wider than a window of ${width}`);
    if (label !== "failed") await axe();
  }

  return {
    url,
    problems,
    problem,
    page,
    go,
    signInAs,
    axe,
    shot,
    expect: (fact, sentence) => fact || problem(`expected: ${sentence}`),
    allow: (pattern) => allowed.push(pattern),
    close: async () => current?.context().close(),
  };
}
