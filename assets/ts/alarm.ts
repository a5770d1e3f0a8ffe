// What rings is heard, read and counted: a tone made here (no file from anywhere),
// a sentence for screen readers, and the number in the title of the tab. The queue
// says what waits: each `[data-rings="p1|p2|p3|p4|call"]` is one thing nobody has
// taken, and carries `data-say`, the sentence. Browsers allow sound only after
// somebody touched the page, so the button `[data-sound]` always says which it is.
import { all, one, words } from "./dom";

type Kind = "p1" | "p2" | "p3" | "p4" | "call";

/** Hertz and seconds of each beep, and the pause before it begins again. */
const TONES: Record<Kind, { beeps: [number, number][]; every: number }> = {
  p1: { beeps: [[880, 0.18], [660, 0.18], [880, 0.18], [660, 0.18]], every: 1_500 },
  p2: { beeps: [[660, 0.2], [660, 0.2]], every: 4_000 },
  p3: { beeps: [[520, 0.15]], every: 20_000 },
  p4: { beeps: [], every: 60_000 },
  call: { beeps: [[440, 0.35], [480, 0.35]], every: 4_000 },
};
const ORDER: Kind[] = ["p1", "call", "p2", "p3", "p4"];
const LOUDNESS = 0.25;
/** Whether somebody asked for silence at this machine. */
const MUTED = "sound-off";
const LOOK_MS = 250;

export function startAlarm(): void {
  const button = one<HTMLButtonElement>("button[data-sound]");
  const queue = one(".queue");
  if (!button || !queue || typeof AudioContext === "undefined") return;
  const sound = new AudioContext();
  const title = document.title;
  let known = new Set(waiting().map(nameOf));
  let last = 0;

  const show = (): void => {
    const [open, on, off] = words(button);
    const muted = localStorage.getItem(MUTED) !== null;
    button.dataset.state = muted ? "off" : sound.state === "running" ? "on" : "blocked";
    button.textContent = (button.dataset.state === "on" ? on : button.dataset.state === "off" ? off : open) ?? "";
    button.setAttribute("aria-pressed", String(button.dataset.state === "on"));
  };
  const touched = (): void => {
    if (sound.state === "suspended") void sound.resume().then(show);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const wanted = button.dataset.state !== "on";
    if (wanted) localStorage.removeItem(MUTED);
    else localStorage.setItem(MUTED, "1");
    touched();
    if (wanted) beep(sound, TONES.p2.beeps);
    show();
  });
  for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, touched, { capture: true });
  sound.addEventListener("statechange", show);
  show();

  const look = (): void => {
    const now = waiting();
    document.title = now.length > 0 ? `(${now.length}) ${title}` : title;
    const fresh = now.filter((each) => !known.has(nameOf(each)));
    if (fresh.length > 0) {
      for (const one of fresh) one.classList.add("fresh");
      // In one text: a second one at the same moment would take the place of the first before anybody heard it.
      announce(fresh.map((one) => one.dataset.say ?? "").join("；"));
      // What is new is heard at once, not when the last tone's pause is over.
      last = 0;
    }
    known = new Set(now.map(nameOf));
    const kind = ORDER.find((each) => now.some((one) => one.dataset.rings === each));
    if (!kind || button.dataset.state !== "on" || Date.now() - last < TONES[kind].every) return;
    last = Date.now();
    beep(sound, TONES[kind].beeps);
  };
  look();
  window.setInterval(look, LOOK_MS);
}

function waiting(): HTMLElement[] {
  return all(".queue [data-rings]");
}

/** The same thing that rings again (a hold was over) is new again. */
function nameOf(element: HTMLElement): string {
  return `${element.getAttribute("href")} ${element.dataset.round ?? ""}`;
}

function announce(sentence: string): void {
  const place = one("#announce");
  if (place) place.textContent = sentence;
}

function beep(sound: AudioContext, beeps: [number, number][]): void {
  let at = sound.currentTime + 0.02;
  for (const [hertz, seconds] of beeps) {
    const tone = new OscillatorNode(sound, { type: "triangle", frequency: hertz });
    const volume = new GainNode(sound, { gain: 0 });
    // A soft edge: a hard one clicks.
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.015);
    volume.gain.setValueAtTime(LOUDNESS, at + seconds - 0.03);
    volume.gain.linearRampToValueAtTime(0, at + seconds);
    tone.connect(volume).connect(sound.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.04;
  }
}
