// The answer to the last action leaves by itself after `data-for` seconds, but
// never while someone reads it with the pointer or the focus on it. Menus close
// when one clicks elsewhere.
import { all } from "./dom";

export function startToasts(): void {
  for (const toast of all(".toast[data-for]")) leaveLater(toast, Number(toast.dataset.for) * 1_000);
  document.addEventListener("click", (event) => {
    for (const menu of all<HTMLDetailsElement>("details.menu[open]")) {
      if (!menu.contains(event.target as Node)) menu.open = false;
    }
  });
}

function leaveLater(toast: HTMLElement, wait: number): void {
  window.setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) leaveLater(toast, 2_000);
    else toast.remove();
  }, wait);
}
