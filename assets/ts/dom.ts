// Small words for the page, shared by the islands.

/** The first element that matches, or null. */
export function one<T extends Element = HTMLElement>(selector: string, inside: ParentNode = document): T | null {
  return inside.querySelector<T>(selector);
}

/** All elements that match. */
export function all<T extends Element = HTMLElement>(selector: string, inside: ParentNode = document): T[] {
  return [...inside.querySelectorAll<T>(selector)];
}

/** The words a template put on an element as `data-words="a|b|c"`, so that no
 *  text of the screen stands in a script. */
export function words(element: HTMLElement | null): string[] {
  return (element?.dataset.words ?? "").split("|");
}

/** POST as the page itself would; the server sees by itself that it comes from
 *  its own page. Rejects when the network fails, so a caller can tell "refused"
 *  from "not reached". */
export function post(url: string, fields: Record<string, string> | FormData): Promise<Response> {
  const body = fields instanceof FormData ? fields : new URLSearchParams(fields);
  return fetch(url, {
    method: "POST",
    body,
    headers: { "HX-Request": "true" },
    credentials: "same-origin",
  });
}

/** What a refusal says to people: the server answers scripts with problem+json. */
export async function sentence(answer: Response): Promise<string> {
  const text = (await answer.text()).slice(0, 2_000);
  if (!(answer.headers.get("content-type") ?? "").includes("json")) return text;
  const { detail, title } = JSON.parse(text) as { detail?: string; title?: string };
  return [title, detail].filter(Boolean).join(" ");
}

/** Choices and buttons are inputs too, but nobody types into them. */
const PRESSED = /^(radio|checkbox|button|submit|reset|file|image)$/;

/** Is the person typing? Then single letters belong to the text. */
export function typing(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement && PRESSED.test(target.type)) return false;
  return target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName));
}
