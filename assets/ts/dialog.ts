// Opening a masked value. The eye is a link to a page that asks for the reason;
// here the same happens in place. First the value is asked for without a reason:
// the server answers it when one is already on record for this person and visit,
// and 204 when a reason is needed, which opens the dialog.
import { all, one, post, sentence } from "./dom";

/** No content: an answer in the ordinary course, so no error stands in the console. */
const REASON_NEEDED = 204;

export function startDialogs(): void {
  for (const button of all("dialog [data-close]")) button.addEventListener("click", () => button.closest("dialog")?.close());
  const dialog = one<HTMLDialogElement>("dialog#reveal");
  const form = dialog && one<HTMLFormElement>("form", dialog);
  if (!dialog || !form) return;
  let eye: HTMLAnchorElement | null = null;
  document.addEventListener("click", (event) => {
    const found = (event.target as Element).closest<HTMLAnchorElement>("a[data-reveal]");
    if (!found) return;
    event.preventDefault();
    eye = found;
    void reveal(found, "", dialog);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const reason = String(new FormData(form).get("reason") ?? "").trim();
    if (eye && reason !== "") void reveal(eye, reason, dialog);
  });
}

async function reveal(eye: HTMLAnchorElement, reason: string, dialog: HTMLDialogElement): Promise<void> {
  const wrong = one(".field-error", dialog);
  if (wrong) wrong.hidden = true;
  // Without a network the link itself still works once there is one again.
  const answer = await post(eye.href, reason === "" ? {} : { reason }).catch(() => null);
  if (!answer) return location.assign(eye.href);
  if (answer.status === REASON_NEEDED && !dialog.open) return dialog.showModal();
  if (answer.ok) {
    show(eye, await answer.text());
    dialog.close();
  } else if (wrong && dialog.open) {
    wrong.textContent = await sentence(answer);
    wrong.hidden = false;
  } else {
    location.assign(eye.href);
  }
}

/** The answer is the open value as plain text; it never passes through HTML. */
function show(eye: HTMLAnchorElement, text: string): void {
  const masked = eye.closest(".masked");
  const value = masked && one(".value", masked);
  if (!value) return;
  value.textContent = text.trim();
  value.tabIndex = -1;
  value.focus();
  eye.remove();
}
