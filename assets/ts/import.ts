// The drop zone of an import: a dropped file is put into the form's own field and
// sent with a progress bar. Without this file one chooses and presses "upload".
import { all, one, words } from "./dom";

for (const zone of all<HTMLFormElement>("form[data-drop]")) dropZone(zone);

function dropZone(form: HTMLFormElement): void {
  const input = one<HTMLInputElement>('input[type="file"]', form);
  if (!input) return;
  for (const name of ["dragenter", "dragover"] as const) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"] as const) form.addEventListener(name, () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer?.files.length) return;
    input.files = event.dataTransfer.files;
    send(form, input);
  });
  input.addEventListener("change", () => send(form, input));
}

function send(form: HTMLFormElement, input: HTMLInputElement): void {
  const file = input.files?.[0];
  if (!file) return;
  if (file.size > Number(form.dataset.max ?? Infinity)) return say(form, input, 1);
  const progress = one<HTMLProgressElement>("progress", form);
  // Not fetch: only this tells how much has left the machine.
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.upload.onprogress = ({ loaded, total }) => {
    if (!progress) return;
    progress.hidden = false;
    progress.max = total;
    progress.value = loaded;
  };
  request.onload = () => {
    // The server sends one on to the page that shows the rows; a refusal is shown by sending the form as usual.
    if (request.status < 400 && request.responseURL) location.assign(request.responseURL);
    else form.submit();
  };
  request.onerror = () => {
    if (progress) progress.hidden = true;
    say(form, input, 0);
  };
  request.send(new FormData(form));
}

/** Says why the file was not taken: 0 the network, 1 its size. */
function say(form: HTMLFormElement, input: HTMLInputElement, which: 0 | 1): void {
  input.value = "";
  const failed = one(".field-error", form);
  if (!failed) return;
  failed.textContent = words(failed)[which] || failed.textContent;
  failed.hidden = false;
}
