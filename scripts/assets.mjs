// Builds everything a browser loads into crates/web/dist: one stylesheet, a few
// small scripts, one icon sprite, the manifest. Nothing here runs on the server,
// and cargo never calls it (crates/web/build.rs only checks that it has run).
import { build } from "esbuild";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { purge, classesDefinedIn, wordsIn } from "./purge-css.mjs";
import { slots } from "./slots.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const at = (...parts) => join(root, ...parts);
const dist = at("crates/web/dist");
const module = (name) => at("node_modules", name);

/** Tabler rules we build upon although we also write rules for the class. */
const BUILT_UPON = new Set(["form-select"]);

async function textsUnder(folder, ending) {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return Promise.all(names.filter((name) => ending.test(name)).map((name) => readFile(join(folder, name), "utf8")));
}

/** Tabler without the rules for classes nobody uses, or that we define ourselves. */
async function tablerUsed() {
  const tabler = await readFile(module("@tabler/core/dist/css/tabler.css"), "utf8");
  const pages = [
    ...(await textsUnder(at("crates/web/templates"), /\.html$/)),
    ...(await textsUnder(at("crates/web/src"), /\.rs$/)),
    ...(await textsUnder(at("assets/ts"), /\.ts$/)),
    ...(await textsUnder(at("assets/gallery"), /\.html$/)),
  ];
  const used = wordsIn(pages);
  const ours = classesDefinedIn(await textsUnder(at("assets/css"), /\.css$/));
  for (const name of ours) if (!BUILT_UPON.has(name)) used.delete(name);
  return purge(tabler, used);
}

const generated = {
  name: "generated-css",
  setup(builder) {
    const makers = { "tabler.used.css": tablerUsed, "slots.generated.css": async () => slots() };
    builder.onResolve({ filter: /^(tabler\.used|slots\.generated)\.css$/ }, ({ path }) => ({ path, namespace: "generated" }));
    builder.onLoad({ filter: /.*/, namespace: "generated" }, async ({ path }) => ({
      contents: await makers[path](),
      loader: "css",
    }));
  },
};

/** Scripts a page can load; the other files of assets/ts are parts of these. */
const SCRIPTS = ["app", "desk", "import", "phone", "sw"];

async function icons() {
  const names = JSON.parse(await readFile(at("assets/icons.json"), "utf8"));
  const symbols = await Promise.all(
    names.map(async (name) => {
      const file = module(`@tabler/icons/icons/outline/${name}.svg`);
      const svg = await readFile(file, "utf8").catch(() => {
        throw new Error(`assets/icons.json asks for the icon "${name}", which @tabler/icons does not have`);
      });
      const body = svg.replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "");
      return `<symbol id="${name}" viewBox="0 0 24 24">${body.replace(/\s+/g, " ").trim()}</symbol>`;
    }),
  );
  await writeFile(join(dist, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`);
}

async function main() {
  const started = Date.now();
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const shared = { bundle: true, minify: true, outdir: dist, logLevel: "warning", legalComments: "linked", charset: "utf8" };
  await build({ ...shared, entryPoints: [at("assets/css/xiyang.css")], plugins: [generated], target: ["chrome109", "firefox115", "safari16"] });
  await build({ ...shared, entryPoints: SCRIPTS.map((name) => at(`assets/ts/${name}.ts`)), format: "iife", target: "es2021" });
  await icons();
  await cp(at("assets/static"), dist, { recursive: true });
  const files = (await readdir(dist, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
  for (const file of files.sort((a, b) => a.name.localeCompare(b.name))) {
    const path = join(file.parentPath, file.name);
    const size = (await readFile(path)).length;
    console.log(`  ${relative(root, path).padEnd(44)} ${(size / 1024).toFixed(1).padStart(7)} KB`);
  }
  console.log(`assets: ${files.length} files in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

await main();
