// What every staff page loads. Each island looks for its own marks in the page
// and does nothing without them; every page works when this file does not run.
import htmx from "htmx.org";
import { startDialogs } from "./dialog";
import { all, one } from "./dom";
import { startKeys } from "./keys";
import { startLive } from "./live";
import { forgetAtSignOut } from "./notes";
import { startPrint } from "./print";
import { startTables } from "./table";
import { startToasts } from "./toast";

startTables();
startToasts();
startDialogs();
startKeys();
startPrint();
forgetAtSignOut();
startLive((source, target) => {
  // Where others ended what is worked at here, no part of the page is true any more; notes are kept as they are typed.
  if (target.dataset.whole !== undefined) return void location.assign(source);
  // What somebody has begun to write is never replaced by news.
  if (begun(target)) return;
  // Whoever moves along the rows with the keys must not be thrown out by news.
  const held = target.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
  // Each part asks for itself: of requests of one source only the last that waits would be sent.
  void htmx.ajax("get", source, { source: target, target, swap: "innerHTML" }).then(() => {
    if (held && document.activeElement === document.body) one(`[href="${CSS.escape(held)}"]`, target)?.focus({ preventScroll: true });
  });
});

function begun(part: HTMLElement): boolean {
  return all<HTMLInputElement | HTMLTextAreaElement>("input:not([type=hidden]), textarea", part).some((field) =>
    field instanceof HTMLInputElement && /^(radio|checkbox)$/.test(field.type) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue,
  );
}
