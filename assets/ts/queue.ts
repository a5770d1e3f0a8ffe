// What a carer did while the phone was without a network, kept in IndexedDB until
// the server has answered it. Nothing is dropped silently: a step the server
// refuses stays with its reason until the carer has read it.
//
// Each entry carries the phone's own time, a sequence number that only grows (so
// that a turned-back clock shows) and a key that makes sending it twice harmless.
import { sentence } from "./dom";

export interface Entry {
  /** Grows by one with each step on this phone. */
  seq?: number;
  /** Sent twice, counted once. */
  key: string;
  /** Whose step: another person signed in on the same phone never sends it. */
  who: string;
  url: string;
  fields: [string, string | Blob][];
  deviceTime: string;
  refused?: string;
}

/** What came of sending the queue. */
export interface Sent {
  left: number;
  /** Where the last accepted step leads, to show its page. */
  page: string | null;
  /** The session has ended: nothing is lost, but someone must sign in. */
  signIn: boolean;
  reached: boolean;
}

const NAME = "carer";
const STORE = "queue";

function database(): Promise<IDBDatabase> {
  return new Promise((ready, fail) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "seq", autoIncrement: true });
    request.onsuccess = () => ready(request.result);
    request.onerror = () => fail(request.error);
  });
}

async function within<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await database();
  try {
    return await new Promise((ready, fail) => {
      // "strict": an answer here means the step is on the phone's flash.
      const transaction = db.transaction(STORE, mode, { durability: "strict" });
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => ready(request.result);
      transaction.onabort = () => fail(transaction.error);
    });
  } finally {
    db.close();
  }
}

export const keep = (entry: Entry): Promise<IDBValidKey> => within("readwrite", (store) => store.add(entry));
export const forget = (seq: number): Promise<undefined> => within("readwrite", (store) => store.delete(seq));
const amend = (entry: Entry): Promise<IDBValidKey> => within("readwrite", (store) => store.put(entry));

/** This person's steps, oldest first. */
export async function waiting(who: string): Promise<Entry[]> {
  const entries = await within<Entry[]>("readonly", (store) => store.getAll());
  return entries.filter((entry) => entry.who === who);
}

/** Sends in order and stops at the first that cannot be delivered. Two tabs never send at once. */
export async function sendAll(who: string): Promise<Sent> {
  if (!navigator.locks) return send(who);
  return navigator.locks.request("carer-queue", () => send(who));
}

async function send(who: string): Promise<Sent> {
  const sent: Sent = { left: 0, page: null, signIn: false, reached: navigator.onLine };
  const open = (await waiting(who)).filter((entry) => entry.refused === undefined);
  sent.left = open.length;
  for (const entry of open) {
    const answer = await deliver(entry);
    if (!answer || answer.status >= 500 || answer.status === 429) return { ...sent, reached: answer !== null };
    sent.reached = true;
    if (answer.status === 401 || new URL(answer.url).pathname.startsWith("/sign-in")) return { ...sent, signIn: true };
    if (answer.ok) {
      await forget(entry.seq ?? 0);
      sent.page = answer.url;
    } else {
      await amend({ ...entry, refused: await sentence(answer) });
    }
    sent.left -= 1;
  }
  return sent;
}

function deliver(entry: Entry): Promise<Response | null> {
  const body = new FormData();
  for (const [name, value] of entry.fields) {
    if (typeof value === "string") body.append(name, value);
    else body.append(name, value, `${name}.jpg`);
  }
  body.set("client_key", entry.key);
  body.set("device_time", entry.deviceTime);
  body.set("device_seq", String(entry.seq));
  const headers = { "HX-Request": "true", "Idempotency-Key": entry.key };
  return fetch(entry.url, { method: "POST", body, headers, credentials: "same-origin" }).catch(() => null);
}
