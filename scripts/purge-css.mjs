// Drops style rules whose classes no page uses. Tabler ships 600 KB of CSS and
// we use a twentieth; a carer's phone on a village network should not load the
// rest. Plain text scanning is enough because Tabler's compiled CSS is regular.

/** Every word in these texts that could be a class name. */
export function wordsIn(texts) {
  const words = new Set();
  for (const text of texts) for (const word of text.match(/[A-Za-z][\w-]*/g) ?? []) words.add(word);
  return words;
}

/** Every class that has a rule in these stylesheets. */
export function classesDefinedIn(sheets) {
  const classes = new Set();
  for (const sheet of sheets) {
    for (const [, name] of sheet.replace(/\/\*[\s\S]*?\*\//g, "").matchAll(/\.([A-Za-z][\w-]*)/g)) classes.add(name);
  }
  return classes;
}

/** `css` with only the selectors whose classes are all in `used`. */
export function purge(css, used) {
  return blocks(css.replace(/\/\*[\s\S]*?\*\//g, ""))
    .map((block) => keep(block, used))
    .join("\n");
}

function keep({ head, body }, used) {
  if (body === null) return head;
  if (/^@(media|supports|layer|container)/.test(head)) {
    const inner = purge(body, used);
    return inner.trim() === "" ? "" : `${head}{${inner}}`;
  }
  if (head.startsWith("@")) return `${head}{${body}}`;
  const kept = selectors(head).filter((selector) => wanted(selector, used));
  return kept.length === 0 ? "" : `${kept.join(",")}{${body}}`;
}

function wanted(selector, used) {
  const positive = selector.replace(/:not\((?:[^()]|\([^()]*\))*\)/g, "");
  const classes = [...positive.matchAll(/\.((?:[\w-]|\\.)+)/g)].map(([, name]) => name.replace(/\\/g, ""));
  return classes.every((name) => used.has(name));
}

/** Top-level blocks of a stylesheet: what stands before `{`, and between the braces. */
function blocks(css) {
  const found = [];
  let from = 0;
  let depth = 0;
  let open = 0;
  for (let i = 0; i < css.length; i += 1) {
    const c = css[i];
    if (c === '"' || c === "'") {
      i = css.indexOf(c, i + 1);
    } else if (c === ";" && depth === 0) {
      found.push({ head: css.slice(from, i + 1).trim(), body: null });
      from = i + 1;
    } else if (c === "{") {
      if (depth === 0) open = i;
      depth += 1;
    } else if (c === "}") {
      depth -= 1;
      if (depth === 0) {
        found.push({ head: css.slice(from, open).trim(), body: css.slice(open + 1, i) });
        from = i + 1;
      }
    }
  }
  return found;
}

/** The parts of a selector list, split at commas that stand outside brackets. */
function selectors(list) {
  const parts = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < list.length; i += 1) {
    if ("([".includes(list[i])) depth += 1;
    if (")]".includes(list[i])) depth -= 1;
    if (list[i] === "," && depth === 0) {
      parts.push(list.slice(from, i).trim());
      from = i + 1;
    }
  }
  return [...parts, list.slice(from).trim()];
}
