// Walks through the real pages of the real program in a real Chromium. Each file
// in journeys/ is one journey and exports `default async (ctx) => {}`; it fails by
// throwing. Whatever a journey does not look at is watched here: an error in the
// console or the page, a request to any other host, a serious finding of axe.
//
//   node tests/browser/run.mjs [name …]     only journeys whose file name contains one
//   XIYANG_BIN     the program; else target/debug/xiyang or target/release/xiyang
//   XIYANG_URL     a running demo to use instead of starting one
//   CHROMIUM       the browser; else /usr/bin/chromium
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { context } from "./context.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const shots = join(here, "shots");
/** A debug build fills a city of 2,000 in well under this. */
const READY_MS = 180_000;
/** A journey that takes longer is stuck. */
const JOURNEY_MS = 120_000;
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const started = Date.now();
const say = (text) => console.log(`  [${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s] ${text}`);

function stop(text) {
  console.error(text);
  process.exit(2);
}

function binary() {
  if (process.env.XIYANG_BIN) return process.env.XIYANG_BIN;
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  const found = ["debug", "release"].map((profile) => join(target, profile, "xiyang")).find(existsSync);
  return found ?? stop("The program is not built: run `cargo build -p xiyang` first, or set XIYANG_BIN. 请先构建程序。");
}

/** Starts a demo city on a free port and answers its address once it says `ready http://…`. */
async function demo() {
  if (process.env.XIYANG_URL) return { url: process.env.XIYANG_URL, end: async () => {} };
  const data = await mkdtemp(join(tmpdir(), "xiyang-journeys-"));
  const city = spawn(binary(), ["demo", "--people", "2000", "--seed", "7", "--listen", "127.0.0.1:0", "--data", data], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const end = async () => {
    const gone = new Promise((done) => city.once("exit", done));
    if (city.exitCode === null && city.kill("SIGTERM")) {
      const impatience = setTimeout(() => city.kill("SIGKILL"), 5_000);
      await gone;
      clearTimeout(impatience);
    }
    await rm(data, { recursive: true, force: true });
  };
  try {
    const url = await new Promise((ready, fail) => {
      const late = setTimeout(() => fail(new Error(`no "ready http://…" within ${READY_MS / 1000} s`)), READY_MS);
      const listen = (chunk) => {
        said = (said + chunk).slice(-20_000);
        const found = /^ready (https?:\/\/\S+)/m.exec(said);
        if (!found) return;
        clearTimeout(late);
        ready(found[1].replace(/\/$/, ""));
      };
      city.stdout.setEncoding("utf8").on("data", listen);
      city.stderr.setEncoding("utf8").on("data", listen);
      city.once("error", (error) => fail(error));
      city.once("exit", (code) => fail(new Error(`the program ended with code ${code}`)));
    });
    return { url, end };
  } catch (error) {
    await end();
    stop(`The demo did not start: ${error.message}\n${said}`);
  }
}

async function walk(browser, url, file) {
  const name = file.replace(/\.mjs$/, "");
  const ctx = context(browser, url, name, shots);
  let late;
  const limit = new Promise((_, fail) => {
    late = setTimeout(() => fail(new Error(`not finished after ${JOURNEY_MS / 1000} s`)), JOURNEY_MS);
  });
  try {
    const { default: journey } = await import(pathToFileURL(join(here, "journeys", file)));
    await Promise.race([journey(ctx), limit]);
  } catch (error) {
    ctx.problem(error.stack ?? String(error));
    await ctx.shot("failed").catch(() => {});
  } finally {
    clearTimeout(late);
    await ctx.close();
  }
  say(`${ctx.problems.length === 0 ? "passed" : "FAILED"}  ${name}`);
  for (const problem of ctx.problems) console.log(problem.replace(/^/gm, "      "));
  return ctx.problems.length === 0;
}

const only = process.argv.slice(2);
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(executablePath)) stop("Chromium is missing: run `make setup`, or set CHROMIUM to its path. 请先运行 make setup。");
const files = (await readdir(join(here, "journeys"))).filter((file) => file.endsWith(".mjs") && (only.length === 0 || only.some((part) => file.includes(part)))).sort();
await rm(shots, { recursive: true, force: true });
await mkdir(shots, { recursive: true });

const city = await demo();
const browser = await chromium.launch({ executablePath, args: FLAGS });
let passed = 0;
try {
  say(`city at ${city.url}, ${files.length} journeys`);
  for (const file of files) if (await walk(browser, city.url, file)) passed += 1;
} finally {
  await browser.close();
  await city.end();
}
console.log(`journeys: ${passed} passed, ${files.length - passed} failed`);
process.exitCode = passed === files.length && files.length > 0 ? 0 : 1;
