// One stream of server-sent events: `<body data-live="/live">`. An event is named
// by its topic with dashes (`order-placed`); `reload` means "you missed some".
// A part of the page that should follow an event says so:
//   <ol data-refresh="alarm-raised alarm-closed" data-src="/hotline/queue">
// and is fetched again when an event of such a name arrives; with `data-subject="7"`
// only when it is about that one. Fields one types into
// must stand outside such parts. The pill `#connection` tells on and off, and the
// window hears it as an event `live`.
import { all, one, words } from "./dom";

/** How a part of the page is fetched anew. */
type Refresh = (source: string, target: HTMLElement) => void;

/** First wait after a lost connection; doubled each time up to the longest. */
const WAIT_FIRST_MS = 1_000;
const WAIT_LONGEST_MS = 20_000;
/** A connection that is gone for longer is told above the page. */
const TELL_MS = 2_000;
/** Events often come in bursts; a part is fetched once per burst. */
const BURST_MS = 150;
/** Where the server sends `beat` events, silence of several means the line is dead
 *  although the browser has not noticed. */
const SILENCE_MS = 45_000;

export function startLive(refresh: Refresh): void {
  const url = document.body.dataset.live;
  if (url) connect(url, refresh, WAIT_FIRST_MS);
}

function connect(url: string, refresh: Refresh, wait: number): void {
  const stream = new EventSource(url);
  let next = wait;
  let silence = 0;
  const beat = (): void => {
    window.clearTimeout(silence);
    silence = window.setTimeout(lost, SILENCE_MS);
  };
  const lost = (): void => {
    stream.close();
    window.clearTimeout(silence);
    show("off");
    window.setTimeout(() => connect(url, refresh, Math.min(next * 2, WAIT_LONGEST_MS)), next);
  };
  stream.onopen = () => {
    // After a gap anything may have changed, so everything is fetched once.
    if (one("#connection")?.dataset.state === "off" || wait !== WAIT_FIRST_MS) askAll();
    next = WAIT_FIRST_MS;
    show("on");
  };
  stream.onerror = lost;
  const askAll = (): void => {
    for (const name of names()) ask(name, ANY, refresh);
  };
  stream.addEventListener("beat", beat);
  stream.addEventListener("reload", askAll);
  for (const name of names()) stream.addEventListener(name, (event: MessageEvent<string>) => ask(name, event.data, refresh));
  window.addEventListener("pagehide", () => stream.close(), { once: true });
}

/** The events this page wants to hear of. */
function names(): Set<string> {
  return new Set(all("[data-refresh]").flatMap((part) => (part.dataset.refresh ?? "").split(/\s+/).filter(Boolean)));
}

/** What was heard since the last burst: names of events and what they are about. */
const asked = new Map<string, Set<string>>();
/** Everything of that name, after a gap. */
const ANY = "*";

function ask(name: string, subject: string, refresh: Refresh): void {
  const heard = asked.get(name);
  if (heard) return void heard.add(subject);
  asked.set(name, new Set([subject]));
  window.setTimeout(() => {
    const subjects = asked.get(name) ?? new Set();
    asked.delete(name);
    for (const part of all(`[data-refresh~="${CSS.escape(name)}"]`)) {
      const about = part.dataset.subject;
      if (about === undefined || subjects.has(about) || subjects.has(ANY)) refresh(part.dataset.src ?? location.href, part);
    }
  }, BURST_MS);
}

let telling = 0;

function show(state: "on" | "off"): void {
  // A reload of the server takes a second or two; whoever reads a notice must find it true.
  window.clearTimeout(telling);
  const notice = one("#offline");
  if (notice) {
    if (state === "on") notice.hidden = true;
    else telling = window.setTimeout(() => (notice.hidden = false), TELL_MS);
  }
  const pill = one("#connection");
  if (!pill || pill.dataset.state === state) return;
  pill.dataset.state = state;
  window.dispatchEvent(new CustomEvent("live", { detail: state }));
  const [on, off] = words(pill);
  if (on && off) pill.textContent = state === "on" ? on : off;
}
