// An order is dragged from the list of what waits onto somebody's day: while it is in
// the hand every row says whether it fits and why, and dropping it posts the same form
// as the buttons on the right. Without this file, and by keys, those buttons do.
//   `.visit-card[data-order]` is what is dragged, `.lane[data-carer]` where it goes.
import { all, one, words } from "./dom";

interface Fit { carer: string; fits: boolean; why: string }
interface Fits { day: string; place: string; two: boolean; carers: Fit[] }
interface Held { card: HTMLAnchorElement; order: string; ghost: HTMLElement; fits: Fits | null; over: HTMLElement | null }

/** A shaking hand still presses. */
const SLACK_PX = 8;
/** A finger that scrolls does not drag; one that rests does. */
const REST_MS = 400;
/** This near the edge of the list of days it moves on. */
const EDGE_PX = 48;
const STEP_PX = 14;

let held: Held | null = null;
let cancel = (): void => {};

export function startDrag(): void {
  if (!one(".dispatch")) return;
  document.addEventListener("pointerdown", press);
  // The browser's own dragging of links would take the pointer away.
  document.addEventListener("dragstart", (event) => (event.target as HTMLElement).closest?.(".visit-card") && event.preventDefault());
  document.addEventListener("touchmove", (event) => held && event.preventDefault(), { passive: false });
  document.addEventListener("contextmenu", (event) => held && event.preventDefault());
  // News may bring new rows while something is in the hand.
  document.body.addEventListener("htmx:afterSwap", paint);
}

function press(event: PointerEvent): void {
  const card = (event.target as HTMLElement).closest<HTMLAnchorElement>(".visit-card[data-order]");
  if (!card || event.button !== 0 || !event.isPrimary) return;
  const { clientX: x, clientY: y, pointerType } = event;
  const rest = pointerType === "touch" ? window.setTimeout(() => take(card, x, y), REST_MS) : 0;
  const listening = new AbortController();
  const { signal } = listening;
  cancel = () => {
    window.clearTimeout(rest);
    listening.abort();
    letGo();
  };
  document.addEventListener("pointermove", (move) => {
    const far = Math.hypot(move.clientX - x, move.clientY - y) > SLACK_PX;
    if (held) follow(move.clientX, move.clientY);
    else if (far && pointerType === "touch") cancel();
    else if (far) take(card, move.clientX, move.clientY);
  }, { signal });
  document.addEventListener("pointerup", () => {
    const { over, card: from } = held ?? {};
    if (held) swallowClick();
    if (held && over && from) drop(held, over);
    cancel();
  }, { signal });
  document.addEventListener("pointercancel", () => cancel(), { signal });
  document.addEventListener("keydown", (key) => key.key === "Escape" && held && (key.stopPropagation(), cancel()), { signal, capture: true });
}

function take(card: HTMLAnchorElement, x: number, y: number): void {
  const order = card.dataset.order ?? "";
  const ghost = Object.assign(document.createElement("div"), { className: "drag-ghost", textContent: one(".top > span", card)?.textContent ?? "" });
  document.body.append(ghost);
  document.body.classList.add("dragging");
  const mine: Held = { card, order, ghost, fits: null, over: null };
  held = mine;
  follow(x, y);
  void fetch(`/dispatch/${order}/fits`, { credentials: "same-origin" })
    .then((answer) => (answer.ok ? (answer.json() as Promise<Fits>) : null))
    .then((fits) => {
      mine.fits = fits;
      if (held === mine) paint();
    })
    // Without an answer the rows stay silent; dropping asks the server anyhow.
    .catch(() => {});
}

function follow(x: number, y: number): void {
  if (!held) return;
  held.ghost.style.transform = `translate(${x + 12}px, ${y + 12}px)`;
  const row = document.elementFromPoint(x, y)?.closest<HTMLElement>(".lane[data-carer]") ?? null;
  if (row !== held.over) {
    mark(held.over, false);
    mark(row, true);
    held.over = row;
  }
  const list = one(".dispatch > .lanes");
  const frame = list?.getBoundingClientRect();
  if (!list || !frame || x < frame.left || x > frame.right) return;
  if (y > frame.bottom - EDGE_PX) list.scrollBy(0, STEP_PX);
  else if (y < frame.top + EDGE_PX) list.scrollBy(0, -STEP_PX);
}

/** Shows where on the day it would stand. */
function mark(row: HTMLElement | null, on: boolean): void {
  if (!row) return;
  row.classList.toggle("over", on);
  for (const old of all(".block.held", row)) old.remove();
  const { fits } = held ?? {};
  const shown = row.closest<HTMLElement>("[data-drop]")?.dataset.day;
  if (!on || !fits?.place || shown !== fits.day) return;
  one(".lane-track", row)?.append(Object.assign(document.createElement("i"), { className: `block proposed held ${fits.place}` }));
}

/** Every row says whether it fits, with an icon and in words. */
function paint(): void {
  const { fits } = held ?? {};
  if (!fits) return;
  const known = new Map(fits.carers.map((fit) => [fit.carer, fit]));
  for (const row of all(".lane[data-carer]")) {
    const fit = known.get(row.dataset.carer ?? "");
    const [yes, no, far] = words(row.closest<HTMLElement>("[data-drop]"));
    row.dataset.fit = fit ? (fit.fits ? "yes" : "no") : "far";
    const note = one(".fit", row) ?? Object.assign(document.createElement("span"), { className: "fit" });
    const icon = one<HTMLTemplateElement>(`#fit-${row.dataset.fit}`)?.content.cloneNode(true);
    const text = fit ? [fit.fits ? yes : no, fit.why].filter(Boolean).join("：") : (far ?? "");
    note.replaceChildren(...(icon ? [icon] : []), text);
    one(".lane-track", row)?.append(note);
  }
  mark(held?.over ?? null, true);
}

/** The same form as the button of a candidate; who must not go alone is chosen on the right. */
function drop({ card, order, fits }: Held, row: HTMLElement): void {
  if (fits?.two) return location.assign(card.href);
  const form = Object.assign(document.createElement("form"), { method: "post", action: `/dispatch/${order}/offer`, hidden: true });
  const shown = new URLSearchParams(location.search);
  const fields = { carer: row.dataset.carer ?? "", day: shown.get("day") ?? "", q: shown.get("q") ?? "" };
  for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement("input"), { name, value }));
  document.body.append(form);
  form.requestSubmit();
}

function letGo(): void {
  held?.ghost.remove();
  held = null;
  document.body.classList.remove("dragging");
  for (const row of all(".lane[data-carer]")) {
    delete row.dataset.fit;
    row.classList.remove("over");
    for (const extra of all(".fit, .block.held", row)) extra.remove();
  }
}

/** Letting go over a link is no press of it. */
function swallowClick(): void {
  const swallow = (event: MouseEvent): void => event.preventDefault();
  document.addEventListener("click", swallow, { capture: true, once: true });
  window.setTimeout(() => document.removeEventListener("click", swallow, { capture: true }), 50);
}
