// The hotline and alarm desk: clocks that count, notes saved as typed, the command
// line, and the sound of what waits. Without this file the same choices are made by
// pressing.
import { startAlarm } from "./alarm";
import { commandLine } from "./command";
import { all, one } from "./dom";
import { startDrag } from "./drag";
import { keepNotes } from "./notes";

/** The server's clock counts, not this machine's: `<body data-now="…">`. */
const ahead = document.body.dataset.now ? Date.parse(document.body.dataset.now) - Date.now() : 0;

startClocks();
for (const area of all<HTMLTextAreaElement>("textarea[data-save]")) keepNotes(area);
for (const line of all("[data-commands]")) commandLine(line);
startAlarm();
startDrag();
holdWhileAway();

function startClocks(): void {
  const tick = (): void => {
    for (const clock of all("[data-since]")) {
      const seconds = Math.max(0, Math.floor((Date.now() + ahead - Date.parse(clock.dataset.since ?? "")) / 1_000));
      // Beyond an hour the server's words ("31 小时") say more than digits.
      if (seconds < 3_600) clock.textContent = digits(seconds);
    }
    for (const left of all("[data-until]")) {
      left.textContent = digits(Math.max(0, Math.ceil((Date.parse(left.dataset.until ?? "") - Date.now() - ahead) / 1_000)));
    }
  };
  tick();
  window.setInterval(tick, 1_000);
}

function digits(seconds: number): string {
  return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

/** While the server cannot be reached a button would leave the page for an error
 *  and take what was typed from sight; the page stays and says why instead. */
function holdWhileAway(): void {
  document.addEventListener("submit", (event) => {
    const pill = one("#connection");
    // A telephone keeps its steps itself and sends them later.
    if (pill?.dataset.state !== "off" || pill.closest(".phone")) return;
    event.preventDefault();
    event.stopPropagation();
    pill.classList.remove("told");
    // Read once, so that the mark begins anew each time.
    void pill.offsetWidth;
    pill.classList.add("told");
  }, true);
}
