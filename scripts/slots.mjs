// The strict content policy forbids inline styles, so a block on the dispatch
// timeline is placed by classes: `from-0830` (when) and `for-45` (how long).

const FIRST_HOUR = 6;
const LAST_HOUR = 21;
/** Minutes per slot: nobody plans a visit finer than this. */
const SLOT = 5;
/** Longest block in minutes: a day's absence reaches from the first to the last hour. */
const LONGEST = (LAST_HOUR - FIRST_HOUR) * 60;

export function slots() {
  const rules = [];
  for (let minute = 0; minute < LONGEST; minute += SLOT) {
    const hour = String(FIRST_HOUR + Math.floor(minute / 60)).padStart(2, "0");
    const rest = String(minute % 60).padStart(2, "0");
    rules.push(`.from-${hour}${rest}{grid-column-start:${minute / SLOT + 1}}`);
  }
  for (let minutes = SLOT; minutes <= LONGEST; minutes += SLOT) {
    rules.push(`.for-${minutes}{grid-column-end:span ${minutes / SLOT}}`);
  }
  return rules.join("\n");
}
