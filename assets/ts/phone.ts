// The carer's phone. A step is kept on the phone first and sent then, so that it
// works the same in a cellar. The page holds a form for every step still to come
// (`<form data-queue>` in `.next-step`, all but the first hidden); a step taken
// without a network hides its form and shows the next.
// What is typed into `[data-draft]` outlives a reload; `[data-with="id"]` is shown
// with the form of that id; `data-place` asks for the position, `data-at-once`
// sends a picture as soon as it is taken.
// Forms go as multipart with: client_key, device_time, device_seq, lat, lng, accuracy.
import { all, one, words } from "./dom";
import { type Entry, forget, keep, sendAll, waiting } from "./queue";

/** A position is proof, but no one waits longer than this for it at the door. */
const POSITION_MS = 6_000;
/** Between attempts while something waits. */
const RETRY_MS = 30_000;
/** Long side of a photo as sent: readable, and 200 KB instead of 6 MB. */
const PHOTO_PIXELS = 1_280;
const PHOTO_QUALITY = 0.8;
/** What opens without a network: the day with its visits, and where one was sent. */
const SCOPES = ["/carer", "/errands"];

const who = one(".phone")?.dataset.who ?? "";
const photos = new Map<HTMLInputElement, Blob[]>();

// Heard at the document, because parts of a page that follows the news come and go.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form instanceof HTMLFormElement && "queue" in form.dataset) void take(event, form);
});
for (const input of all<HTMLInputElement>('input[type="file"][accept^="image"]')) input.addEventListener("change", () => void preview(input));
for (const form of all<HTMLFormElement>('form[action="/sign-out"]')) form.addEventListener("submit", forgetPages);
window.addEventListener("online", () => void send(false));
window.addEventListener("offline", () => void show());
// A page that follows the news knows first that the server is there again.
window.addEventListener("live", (event) => void ((event as CustomEvent<string>).detail === "on" ? send(false) : show(false)));
window.setInterval(() => void send(false), RETRY_MS);
keepDrafts();
void start();

async function start(): Promise<void> {
  await skipTaken();
  await send(false);
  await keepPages();
}

async function take(event: SubmitEvent, form: HTMLFormElement): Promise<void> {
  event.preventDefault();
  const button = one<HTMLButtonElement>("button", form);
  if (button?.disabled) return;
  if (button) button.disabled = true;
  const deviceTime = new Date().toISOString();
  const fields = await fieldsOf(form, event.submitter);
  const key = crypto.randomUUID();
  await keep({ key, who, url: form.action, fields, deviceTime });
  if (button) button.disabled = false;
  form.dataset.taken = "";
  for (const input of photos.keys()) if (input.form === form) photos.delete(input);
  const shown = await send(true);
  // A refused step was not taken: the button stays for another try.
  const refused = (await waiting(who)).some((entry) => entry.key === key && entry.refused !== undefined);
  if (refused) delete form.dataset.taken;
  if (shown || refused) return;
  if (form.closest(".next-step")) next(form);
  else if (button) button.disabled = true;
}

/** INVARIANT: a reload, wanted or not, takes nothing of what was typed. */
function keepDrafts(): void {
  const fields = all<HTMLInputElement | HTMLTextAreaElement>("[data-draft]");
  const key = `draft ${location.pathname}`;
  const kept = new Map<string, string | boolean>(JSON.parse(sessionStorage.getItem(key) ?? "[]") as [string, string | boolean][]);
  for (const field of fields) {
    const ticks = field instanceof HTMLInputElement && /^(radio|checkbox)$/.test(field.type);
    const name = ticks ? `${field.name}=${field.value}` : field.name;
    const value = kept.get(name);
    if (ticks && typeof value === "boolean") field.checked = value;
    // What a refused step brought back from the server is newer than the draft.
    else if (typeof value === "string" && field.value === "") field.value = value;
    field.addEventListener("input", () => {
      if (ticks && field.type === "radio") for (const other of [...kept.keys()]) if (other.startsWith(`${field.name}=`)) kept.set(other, false);
      kept.set(name, ticks ? field.checked : field.value);
      sessionStorage.setItem(key, JSON.stringify([...kept]));
    });
  }
}

async function fieldsOf(form: HTMLFormElement, submitter: HTMLElement | null): Promise<[string, string | Blob][]> {
  const position = "place" in form.dataset ? await whereAmI() : null;
  const fields = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !["lat", "lng", "accuracy"].includes(name)) as [string, string | Blob][];
  if (submitter instanceof HTMLButtonElement && submitter.name) fields.push([submitter.name, submitter.value]);
  if (position) {
    fields.push(["lat", position.latitude.toFixed(6)], ["lng", position.longitude.toFixed(6)], ["accuracy", position.accuracy.toFixed(0)]);
  }
  for (const [input, taken] of photos) {
    if (input.form === form) for (const photo of taken) fields.push([input.name, photo]);
  }
  return fields;
}

/** Null when the phone refuses or does not know: the step counts all the same, without a place. */
function whereAmI(): Promise<GeolocationCoordinates | null> {
  return new Promise((ready) => {
    if (!navigator.geolocation) return ready(null);
    navigator.geolocation.getCurrentPosition(({ coords }) => ready(coords), () => ready(null), { enableHighAccuracy: true, timeout: POSITION_MS, maximumAge: 20_000 });
  });
}

/** Sends what waits; true when a page was opened to show what came of it: the
 *  page the step leads to, or this one anew when it went out in the background. */
async function send(open: boolean): Promise<boolean> {
  const sent = await sendAll(who);
  await show(sent.reached, sent.signIn);
  if (!sent.page || sent.left > 0 || (!open && begun())) return false;
  location.assign(open ? sent.page : location.href);
  return true;
}

/** Has the carer begun to write or to take pictures for a step still to come? Then the page is not loaded anew below the thumb. */
function begun(): boolean {
  return photos.size > 0 || all<HTMLInputElement | HTMLTextAreaElement>("main input:not([type=hidden]), main textarea").some(
    (field) => field.value !== field.defaultValue && !(field.form && "taken" in field.form.dataset),
  );
}

async function show(reached = navigator.onLine, signIn = false): Promise<void> {
  const entries = await waiting(who);
  const left = entries.filter((entry) => entry.refused === undefined).length;
  const pill = one("#connection");
  if (pill) {
    const [on, off, count, again] = words(pill);
    const state = signIn ? again : reached ? on : off;
    pill.dataset.state = reached && !signIn && left === 0 ? "on" : "off";
    pill.textContent = left === 0 ? (state ?? "") : `${state}，${(count ?? "").replace("N", String(left))}`;
  }
  showRefused(entries.filter((entry) => entry.refused !== undefined));
}

/** Refused steps stand above the page until the carer has read why. */
function showRefused(entries: Entry[]): void {
  const place = one(".queue-state");
  if (!place) return;
  const [understood] = words(place);
  place.replaceChildren(
    ...entries.map((entry) => {
      const note = Object.assign(document.createElement("div"), { className: "note note-attention" });
      const text = Object.assign(document.createElement("p"), { textContent: entry.refused ?? "" });
      const button = Object.assign(document.createElement("button"), { className: "btn", textContent: understood ?? "" });
      button.addEventListener("click", () => void forget(entry.seq ?? 0).then(() => show()));
      note.append(text, button);
      return note;
    }),
  );
}

/** A page kept from this morning does not know the steps taken since. */
async function skipTaken(): Promise<void> {
  const taken = new Set((await waiting(who)).filter((entry) => entry.refused === undefined).map((entry) => entry.url));
  for (const form of all<HTMLFormElement>(".next-step form[data-queue]")) {
    if (taken.has(form.action) && !form.hidden) next(form);
  }
}

function next(form: HTMLFormElement): void {
  const following = form.nextElementSibling;
  if (following instanceof HTMLFormElement) {
    form.hidden = true;
    following.hidden = false;
    for (const part of all(`[data-with="${CSS.escape(following.id)}"]`)) part.hidden = false;
  } else {
    for (const button of all<HTMLButtonElement>("button", form)) button.disabled = true;
  }
  const stages = all(".stage li");
  const here = stages.findIndex((stage) => stage.hasAttribute("aria-current"));
  stages[here]?.removeAttribute("aria-current");
  stages[here]?.classList.add("past");
  stages[here + 1]?.setAttribute("aria-current", "step");
}

async function preview(input: HTMLInputElement): Promise<void> {
  const small = await Promise.all([...(input.files ?? [])].map(shrink));
  photos.set(input, [...(photos.get(input) ?? []), ...small]);
  const list = one(".photo-list", input.form ?? document) ?? one(".photo-list");
  for (const photo of small) list?.append(Object.assign(new Image(), { src: URL.createObjectURL(photo), alt: input.dataset.alt ?? "" }));
  if (input.form && "atOnce" in input.form.dataset && small.length > 0) input.form.requestSubmit();
}

async function shrink(file: File): Promise<Blob> {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return file;
  const scale = Math.min(1, PHOTO_PIXELS / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((ready) => canvas.toBlob((blob) => ready(blob ?? file), "image/jpeg", PHOTO_QUALITY));
}

/** Keeps today's pages for later, once there is a network and a worker. */
async function keepPages(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  for (const scope of SCOPES) await navigator.serviceWorker.register("/sw.js", { scope }).catch(() => null);
  const registration = await navigator.serviceWorker.ready;
  const pages = SCOPES.flatMap((scope) => all<HTMLAnchorElement>(`main a[href^="${scope}"]`)).map((link) => link.href);
  const parts = performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => new URL(name).pathname.startsWith("/assets/"));
  registration.active?.postMessage({ keep: [...new Set([location.href, ...pages, ...parts])] });
}

/** Whoever signs out leaves no one's address on the phone. Steps not yet sent stay. */
function forgetPages(): void {
  sessionStorage.clear();
  void caches?.keys().then((names) => Promise.all(names.map((name) => caches.delete(name))));
}
