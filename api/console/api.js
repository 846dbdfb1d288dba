// The service, over the same REST that everybody uses.

import { ask, make } from "./dom.js";
import { word } from "./words.js";

const BASE = new URL("../v1/", document.baseURI);

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem.code;
  }
}

/** A call and its response. Asks for a key when the server wants one. */
async function reach(path, options = {}) {
  const key = sessionStorage.getItem("key");
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  let response;
  try {
    response = await fetch(new URL(path, BASE), { ...options, headers, body });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, { detail: word("offline") });
  }
  if (response.status === 401 && (await askForKey())) return reach(path, options);
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})));
  return response;
}

export async function call(method, path, body, headers) {
  const response = await reach(path, { method, body, headers });
  return { etag: response.headers.get("etag"), ...(await response.json()) };
}

export const query = (values) =>
  new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null && value !== undefined)).toString();

/** The events of a streamed answer: {event, body}. Leaving the loop or aborting cancels the generation. */
export async function* stream(path, body, signal) {
  const response = await reach(path, { method: "POST", body, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      held += value;
      const blocks = held.split("\n\n");
      held = blocks.pop();
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2)));
        if (fields.event) yield { event: fields.event, body: JSON.parse(fields.data) };
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Asks for a key and keeps it for this tab. Returns whether one was given. */
export async function askForKey() {
  const key = await ask((close) => {
    const field = make("input", { type: "password", autocomplete: "off", "aria-label": word("keyLabel"), required: true });
    const save = (event) => { event.preventDefault(); close(field.value.trim()); };
    return make("form", { onsubmit: save }, make("p", {}, word("keyAsk")), field,
      make("p", { class: "actions" }, make("button", { type: "button", onclick: () => close() }, word("cancel")),
        make("button", { class: "main" }, word("save"))));
  });
  if (key) sessionStorage.setItem("key", key);
  return Boolean(key);
}
