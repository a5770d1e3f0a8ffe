// A table wider than its frame scrolls inside it; the keyboard must reach it too.
import { all } from "./dom";

export function startTables(): void {
  const reach = (): void => {
    for (const frame of all(".table-wrap, .lanes")) {
      if (frame.scrollWidth > frame.clientWidth) frame.tabIndex = 0;
      else frame.removeAttribute("tabindex");
    }
  };
  reach();
  window.addEventListener("resize", reach);
}
