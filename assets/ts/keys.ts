// Keys. The table is the page itself: whatever carries `data-key` answers to that
// key ("/", "?", "g h", "a", "Escape"). Fields take the focus, links and buttons
// are pressed. `j` and `k` move along `.row-link` or `.queue-item`, Enter opens.
import { all, one, typing, words } from "./dom";

/** How long `g` waits for its letter. */
const CHORD_MS = 1_200;

export function startKeys(): void {
  for (const button of all<HTMLButtonElement>("[data-open]")) {
    button.hidden = false;
    button.addEventListener("click", () => open(button.dataset.open ?? ""));
  }
  let pending = "";
  let pendingSince = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || one("dialog[open]")) return;
    if (event.key === "Escape") return escape(event);
    if (typing(event.target)) return;
    const chord = pending && event.timeStamp - pendingSince < CHORD_MS ? `${pending} ${event.key}` : event.key;
    pending = "";
    if (press(chord)) return event.preventDefault();
    if (event.key === "j" || event.key === "k") return move(event.key === "j" ? 1 : -1);
    if (all(`[data-key^="${CSS.escape(event.key)} "]`).length > 0) {
      pending = event.key;
      pendingSince = event.timeStamp;
    }
  });
}

/** Does what the key stands for; false when nothing on the page answers to it. */
function press(key: string): boolean {
  const target = all("[data-key]").find((element) => element.dataset.key === key && !element.closest("[hidden]"));
  if (!target) return false;
  if (typing(target)) target.focus();
  else target.click();
  return true;
}

function escape(event: KeyboardEvent): void {
  if (typing(event.target)) (event.target as HTMLElement).blur();
  else if (!closeMenus()) press("Escape");
}

function closeMenus(): boolean {
  const menus = all<HTMLDetailsElement>("details.menu[open]");
  for (const menu of menus) menu.open = false;
  return menus.length > 0;
}

function move(by: number): void {
  const rows = all(".row-link, .queue-item, .visit-card");
  const here = rows.findIndex((row) => row === document.activeElement);
  const current = here >= 0 ? here : rows.findIndex((row) => row.hasAttribute("aria-current") || row.closest(".open"));
  rows[Math.max(0, Math.min(rows.length - 1, current + by))]?.focus();
}

function open(id: string): void {
  const dialog = one<HTMLDialogElement>(`#${CSS.escape(id)}`);
  if (id === "keys" && dialog) fillKeys(dialog);
  closeMenus();
  dialog?.showModal();
}

/** The list of keys is read off the page, so it can never be out of date. */
function fillKeys(dialog: HTMLElement): void {
  const list = one(".key-list", dialog);
  if (!list) return;
  const [enter, escape, down, up, search] = words(list);
  const rows = new Map<string, string>();
  for (const element of all("[data-key]")) rows.set(element.dataset.key ?? "", nameOf(element, search ?? ""));
  for (const [key, name] of [["j", down], ["k", up], ["Enter", enter], ["Escape", escape]]) if (key && name && !rows.has(key)) rows.set(key, name);
  list.replaceChildren(...[...rows].map(([key, name]) => keyLine(key, name)));
}

function nameOf(element: HTMLElement, search: string): string {
  if (element.dataset.key === "/") return search;
  const copy = element.cloneNode(true) as HTMLElement;
  for (const kbd of all("kbd", copy)) kbd.remove();
  return element.getAttribute("aria-label") ?? copy.textContent?.trim() ?? "";
}

function keyLine(key: string, name: string): HTMLLIElement {
  const line = document.createElement("li");
  for (const part of key.split(" ")) line.append(Object.assign(document.createElement("kbd"), { textContent: part }), " ");
  line.append(name);
  return line;
}
