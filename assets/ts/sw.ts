// The carer's pages without a network: served at /sw.js, once with scope /carer
// and once with scope /errands.
// Pages come from the network when it answers in time, else as last seen; built
// assets never change under their address, so they come from the store. Only GET
// is touched: steps are queued by phone.ts, where the carer can see them.

const worker = self as unknown as ServiceWorkerGlobalScope;
const STORE = "carer-1";
/** A village network that has not answered by now is as good as none. */
const PATIENCE_MS = 4_000;

worker.addEventListener("install", () => void worker.skipWaiting());

worker.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== STORE).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => worker.clients.claim()));
});

worker.addEventListener("message", (event) => {
  const wanted = (event.data as { keep?: string[] }).keep ?? [];
  event.waitUntil(Promise.allSettled(wanted.map(async (url) => store(new Request(url), await fetch(url)))));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== worker.location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(stored(request));
  else if (request.mode === "navigate" && /^\/(carer|errands)\b/.test(url.pathname)) event.respondWith(fresh(request));
});

async function stored(request: Request): Promise<Response> {
  const known = await caches.match(request);
  if (known) return known;
  const answer = await fetch(request);
  await store(request, answer);
  return answer;
}

async function fresh(request: Request): Promise<Response> {
  const fetched = fetch(request).then(async (answer) => {
    await store(request, answer);
    return answer;
  });
  const late = new Promise<null>((ready) => setTimeout(() => ready(null), PATIENCE_MS));
  const answer = await Promise.race([fetched, late]).catch(() => null);
  if (answer) return answer;
  return (await caches.match(request)) ?? (await caches.match("/carer")) ?? fetched;
}

/** Only a good answer under its own address is kept: never a sign-in page in place of a visit. */
async function store(request: Request, answer: Response): Promise<void> {
  if (!answer.ok || answer.redirected || answer.type !== "basic") return;
  await (await caches.open(STORE)).put(request, answer.clone());
}
