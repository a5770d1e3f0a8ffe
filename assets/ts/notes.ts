// Notes that are saved while one types. They stand in three places: the page, this
// browser's store until the server has answered, and the server.
import { one, post, words } from "./dom";

/** A pause in typing after which notes are saved. */
const PAUSE_MS = 800;
/** Between attempts when saving fails: the text stays in the page meanwhile. */
const RETRY_MS = 3_000;
/** What was never taken is forgotten after this: the incident has long been over. */
const KEPT_MS = 72 * 3_600_000;
const PREFIX = "notes ";

/** Several people work at one browser: what one typed is never another's.
 *  `<body data-account="…">` says who is signed in. */
function ownPrefix(): string {
  return `${PREFIX}${document.body.dataset.account ?? ""} `;
}

interface Kept {
  text: string;
  at: number;
}

/** INVARIANT: text is never lost: it is kept in the browser's store until the server
 *  has answered, and comes back after a reload, a crash of the browser, or a night. */
export function keepNotes(area: HTMLTextAreaElement): void {
  forgetOld();
  const url = area.dataset.save ?? "";
  const key = ownPrefix() + url;
  const sign = one(".saved", area.closest(".field") ?? document);
  const [saved, saving, failed] = words(sign);
  let timer = 0;
  let sent = area.value;
  let under: Promise<void> | null = null;
  const tell = (state: string, text: string | undefined): void => {
    if (!sign) return;
    sign.dataset.state = state;
    if (text) sign.textContent = text.replace("HH:MM:SS", new Date().toLocaleTimeString("zh-CN", { hour12: false }));
  };
  const later = (wait: number): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void save(), wait);
  };
  const send = async (): Promise<void> => {
    while (area.value !== sent) {
      const text = area.value;
      tell("saving", saving);
      const answer = await post(url, { text }).catch(() => null);
      if (!answer?.ok) {
        tell("failed", failed);
        return later(RETRY_MS);
      }
      sent = text;
      if (area.value === text) localStorage.removeItem(key);
      tell("saved", saved);
    }
  };
  const save = (): Promise<void> => {
    under ??= send().finally(() => {
      under = null;
    });
    return under;
  };
  const left = read(key);
  if (left && left.text !== area.value) {
    area.value = left.text;
    void save();
  } else if (left) {
    localStorage.removeItem(key);
  }
  area.addEventListener("input", () => {
    localStorage.setItem(key, JSON.stringify({ text: area.value, at: Date.now() } satisfies Kept));
    later(PAUSE_MS);
  });
  area.addEventListener("blur", () => void save());
  // The line is back: what waited goes at once.
  window.addEventListener("live", (event) => {
    if ((event as CustomEvent<string>).detail === "on") void save();
  });
  area.form?.addEventListener("submit", (event) => finish(event, area, () => area.value === sent, save));
}

/** What was typed is on the server before a button takes the page away with it. */
function finish(event: SubmitEvent, area: HTMLTextAreaElement, done: () => boolean, save: () => Promise<void>): void {
  if (done() || event.defaultPrevented) return;
  event.preventDefault();
  const button = event.submitter;
  void save().then(() => {
    if (done()) area.form?.requestSubmit(button);
  });
}

function read(key: string): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}

/** Whoever signs out leaves nothing of what they typed in the browser. */
export function forgetAtSignOut(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.getAttribute("action") !== "/sign-out") return;
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(ownPrefix())) localStorage.removeItem(key);
    }
  });
}

function forgetOld(): void {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(PREFIX) && Date.now() - (read(key)?.at ?? 0) > KEPT_MS) localStorage.removeItem(key);
  }
}
