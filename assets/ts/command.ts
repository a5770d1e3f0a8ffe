// The command line of a desk: completion while one types and, below the line, what
// Enter will do. Without this file the same words can still be typed and sent.
import { one } from "./dom";

const SUGGESTIONS_MOST = 8;

interface Command {
  /** What is typed. */
  say: string;
  /** What it means, in the language of the page. */
  means: string;
  /** Other ways to begin it: letters, a code, the kind of thing. */
  also?: string[];
  /** `name=value` of a radio it ticks, or `#id` of a button it presses. */
  does?: string;
}

/** `form` holds the line: a form of its own, or a part of one. */
export function commandLine(form: HTMLElement): void {
  const input = one<HTMLInputElement>("input", form);
  if (!input) return;
  const commands = JSON.parse(form.dataset.commands ?? "[]") as Command[];
  const list = document.createElement("ul");
  list.className = "cmd-list";
  list.id = "cmd-list";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.labels?.[0]?.textContent ?? "");
  form.append(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", list.id);
  let at = 0;

  const matches = (): Command[] => {
    const last = input.value.split(/\s+/).pop()?.toLowerCase() ?? "";
    return last === "" ? [] : commands.filter(({ say, means, also = [] }) => (say.startsWith(last) && say !== last) || means.startsWith(last) || also.some((other) => other.includes(last) && say !== last)).slice(0, SUGGESTIONS_MOST);
  };
  const draw = (): void => {
    const found = matches();
    at = Math.min(at, Math.max(0, found.length - 1));
    list.replaceChildren(...found.map((command, index) => suggestion(command, index, index === at, () => take(command))));
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (list.hidden) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `cmd-${at}`);
    explain(form, input.value, commands);
  };
  const take = (command: Command): void => {
    input.value = `${input.value.replace(/\S*$/, "")}${command.say} `;
    input.focus();
    draw();
  };
  input.addEventListener("input", draw);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const found = matches();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + Math.max(1, found.length)) % Math.max(1, found.length);
      draw();
      event.preventDefault();
      return;
    }
    const chosen = found[at];
    if (event.key === "Tab" && chosen) {
      take(chosen);
      event.preventDefault();
    }
  });
  // Words that tick a choice or press a button are carried out here; a form with
  // an action sends the whole line to the server instead.
  form.addEventListener("submit", (event) => {
    if (form.getAttribute("action")) return;
    event.preventDefault();
    for (const word of input.value.split(/\s+/)) {
      const command = commands.find(({ say }) => say === word.toLowerCase());
      if (command?.does) carryOut(command.does);
    }
    input.value = "";
    draw();
  });
}

function suggestion(command: Command, index: number, chosen: boolean, take: () => void): HTMLLIElement {
  const line = document.createElement("li");
  line.id = `cmd-${index}`;
  line.setAttribute("role", "option");
  line.setAttribute("aria-selected", String(chosen));
  const means = Object.assign(document.createElement("span"), { className: "means", textContent: command.means });
  line.append(Object.assign(document.createElement("b"), { textContent: command.say }), means);
  // Before blur, so that the focus stays in the line.
  line.addEventListener("mousedown", (event) => {
    event.preventDefault();
    take();
  });
  return line;
}

/** Below the line stands in plain words what Enter will do. */
function explain(form: HTMLElement, text: string, commands: Command[]): void {
  const ghost = one(".cmd-ghost", form);
  if (!ghost) return;
  const known = text.split(/\s+/).flatMap((word) => commands.find(({ say }) => say === word.toLowerCase())?.means ?? []);
  ghost.textContent = known.join(" · ") || (ghost.dataset.help ?? "");
}

function carryOut(does: string): void {
  if (does.startsWith("#")) return one<HTMLButtonElement>(does)?.click();
  const [name, value] = does.split("=");
  const radio = one<HTMLInputElement>(`input[name="${CSS.escape(name ?? "")}"][value="${CSS.escape(value ?? "")}"]`);
  if (radio) radio.click();
}
