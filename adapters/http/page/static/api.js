// What the server offers under /api/page, and its errors as sentences.

import { askForKey, key } from "./key.js";

/** What went wrong, as a sentence for the person. `lost`: nothing came back, so it may be sent again. */
export class Failure extends Error {
  constructor(message, { lost = false } = {}) {
    super(message);
    this.lost = lost;
  }
}

const UNREACHABLE = "The server cannot be reached.";

async function request(path, options = {}) {
  for (;;) {
    const used = key();
    const headers = { ...options.headers, ...(used && { Authorization: `Bearer ${used}` }) };
    let response;
    try {
      response = await fetch(`/api/page/${path}`, { ...options, headers });
    } catch {
      throw new Failure(UNREACHABLE, { lost: true });
    }
    if (response.ok) return response;
    if (response.status !== 401) throw await failure(response);
    if (used === key()) await askForKey();
  }
}

async function failure(response) {
  const lost = response.status >= 502;
  try {
    return new Failure((await response.json()).error.message, { lost });
  } catch {
    return new Failure(`The server answered with status ${response.status}.`, { lost });
  }
}

const json = (body) => ({
  method: "POST",
  body: JSON.stringify(body),
  headers: { "Content-Type": "application/json" },
});
const at = (id) => `conversations/${id}`;

export const start = async () => (await request("start")).json();
export const conversations = async () => (await request("conversations")).json();
export const history = async (id, before) => (await request(`${at(id)}?before=${before}`)).json();
export const remove = (id) => request(at(id), { method: "DELETE" });
export const feedback = (id, answer, value) =>
  request(`${at(id)}/feedback`, json({ key: answer, value }));

export async function upload(file) {
  const type = file.type || "application/octet-stream";
  const path = `files?name=${encodeURIComponent(file.name.slice(-200) || "file")}`;
  const headers = { "Content-Type": type };
  return (await request(path, { method: "POST", body: file, headers })).json();
}

export async function documentOf(id, question) {
  return (await request(`${at(id)}/documents/${question}`)).blob();
}

/** Say something, without waiting for what is said to it. */
export async function say(id, question) {
  const response = await request(`${at(id)}/messages`, json(question));
  await response.body.cancel();
}

/** Ask, and go through the events of the answer: {name, data}. Throws Failure where they break off. */
export async function* ask(id, question, signal) {
  const response = await request(`${at(id)}/messages`, { ...json(question), signal });
  let ended = false;
  for await (const event of events(response.body)) {
    ended = event.name === "said" || event.name === "failed";
    yield event;
  }
  if (!ended) throw new Failure("The connection was lost.", { lost: true });
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      const whole = text.split("\n\n");
      text = whole.pop();
      yield* whole.map(event).filter((each) => each.name);
    }
  } catch {
    // The caller sees that the last event did not come.
  } finally {
    reader.cancel().catch(() => {});
  }
}

function event(lines) {
  const fields = { event: "", data: "" };
  for (const line of lines.split("\n")) {
    const at = line.indexOf(": ");
    if (at > 0) fields[line.slice(0, at)] += line.slice(at + 2);
  }
  return { name: fields.event, data: fields.data && JSON.parse(fields.data) };
}
