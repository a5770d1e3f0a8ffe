// Buttons that print the page; without scripts they stay hidden and the browser's own menu prints.
import { all } from "./dom";

export function startPrint(): void {
  for (const button of all("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}
