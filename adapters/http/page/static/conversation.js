// The conversation that is open: its history, and the answers that grow in it.

import * as api from "./api.js";
import { Failure } from "./api.js";
import { announce, find, make, newId, tell } from "./dom.js";
import { Answer, questionItem } from "./items.js";
import { forget, pending, remember } from "./pending.js";
import { keepingPlace, toNewest } from "./scroll.js";

const REDOES = /^\/(retry|continue)\s*$/i; // an answer to these stands in place of the last one
const TRIES = 7;
const WATCH = 2000; // milliseconds between two looks at what another tab asked

const flow = find("flow");
const earlier = find("earlier");
let id = "";
let leaving = new AbortController();
let ready = Promise.resolve(); // once the history is shown
let more = 0; // the turn before which there are earlier ones
const growing = new Set();

/** What others do when an answer begins or ends; main.js sets them. */
export const on = { change: () => {}, said: () => {}, model: () => {} };

export const current = () => id;
export const answering = () => growing.size > 0;

/** Begin a conversation in which nothing was said. */
export function begin(name) {
  leaving.abort();
  leaving = new AbortController();
  id = name;
  ready = Promise.resolve();
  growing.clear();
  flow.replaceChildren();
  earlier.hidden = true;
  toNewest();
  on.model("");
  on.change();
}

/** Open a conversation, and go on with what is not answered in it. */
export function open(name) {
  begin(name);
  ready = load(leaving.signal);
}

async function load(signal) {
  const name = id;
  try {
    const page = await api.history(name, 0);
    if (!signal.aborted) show(page);
  } catch (error) {
    if (!signal.aborted) trouble(error.message, () => open(name));
  }
}

function show(page) {
  const { turns } = page;
  on.model(page.model);
  const owed = turns.at(-1)?.ending === "asking";
  const shown = owed ? turns.slice(0, -1) : turns;
  more = page.earlier;
  earlier.hidden = !more;
  flow.replaceChildren(...shown.map(item));
  const questions = pending(id);
  for (const question of questions) {
    const known = shown.some((turn) => turn.role === "user" && turn.text === question.text);
    if (!known) showQuestion(question);
    follow(question);
  }
  on.change();
  toNewest();
  if (owed && !questions.length) watch(leaving.signal);
}

/** Show earlier messages above those that are seen. */
async function showEarlier() {
  const { signal } = leaving;
  const page = await api.history(id, more).catch((error) => tell(error.message));
  if (!page || signal.aborted) return;
  more = page.earlier;
  const first = page.turns.map(item);
  keepingPlace(() => flow.prepend(...first));
  earlier.hidden = !more;
  first[0]?.querySelector("button")?.focus({ preventScroll: true });
}

/** Say something here, and show what is said to it. `files` were uploaded. */
export async function ask(text, files = []) {
  await ready;
  const sent = files.map(({ id, name, media_type }) => ({ id, name, media_type }));
  const question = { question_id: newId(), text, files: sent };
  showQuestion({ text, files });
  toNewest();
  return follow(question);
}

/** Stop what is being answered; what is there stays. */
export function stop() {
  if (answering()) api.say(id, { question_id: newId(), text: "/stop" }).catch(() => {});
}

function showQuestion({ text, files }) {
  if (!REDOES.test(text)) flow.append(questionItem(text, files));
}

function item(turn) {
  if (turn.role === "user") return questionItem(turn.text, turn.files);
  const answer = newAnswer("");
  answer.grow({ start: 0, html: turn.html });
  answer.end(turn);
  return answer.element;
}

function newAnswer(question_id) {
  const here = id;
  return new Answer({
    say: ask,
    opine: (key, value) =>
      api.feedback(here, key, value).then(
        () => true,
        (error) => tell(error.message),
      ),
    save: (name) =>
      api.documentOf(here, question_id).then(
        (blob) => save(blob, name),
        (error) => tell(error.message),
      ),
  });
}

function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Show the answer to a question from its first word to its end. */
async function follow(question) {
  const { signal } = leaving;
  const here = id;
  const replaced = REDOES.test(question.text) ? lastAnswers() : [];
  const answer = newAnswer(question.question_id);
  flow.append(answer.element);
  growing.add(answer);
  remember(here, question);
  on.change();
  try {
    const said = await untilSaid(here, question, answer, replaced, signal);
    finish(answer, said, replaced);
    forget(here, question);
    on.said(question, said);
  } catch (error) {
    if (signal.aborted) return;
    forget(here, question);
    answer.fail(error.message, () => {
      answer.element.remove();
      follow(question);
    });
    announce(error.message);
  }
  growing.delete(answer);
  on.change();
}

/** Ask until something is said. The id makes sure that it is answered once, however often we ask. */
async function untilSaid(here, question, answer, replaced, signal) {
  for (let tries = 1; ; tries += 1) {
    try {
      for await (const { name, data } of api.ask(here, question, signal)) {
        if (name === "said") return data;
        if (name === "failed") throw new Failure(data.message, { lost: data.again });
        if (name === "waiting") answer.wait(data.text);
        if (name === "growth") {
          drop(replaced);
          answer.grow(data);
        }
      }
    } catch (error) {
      if (signal.aborted || !error.lost || tries === TRIES) throw error;
      answer.wait(`${error.message} Trying again…`);
      await pause(2 ** (tries - 2));
    }
  }
}

function finish(answer, said, replaced) {
  if (said.key) drop([...replaced, ...flow.querySelectorAll(`[data-key="${said.key}"]`)]);
  if (said.start !== null) answer.grow(said);
  answer.end(said);
  if (!said.text && !said.key) answer.element.remove();
  announce(said.text.slice(0, 500));
}

/** The answers to the last question. */
function lastAnswers() {
  const items = [...flow.children];
  const last = items.findLastIndex((each) => each.matches(".question"));
  return items.slice(last + 1).filter((each) => each.matches(".answer:not(.note, .growing)"));
}

const drop = (elements) => elements.forEach((element) => element.remove());

/** Look again and again for an answer that nobody in this tab asked for. */
async function watch(signal) {
  const answer = newAnswer("");
  answer.wait("Being answered…");
  flow.append(answer.element);
  growing.add(answer);
  on.change();
  for (;;) {
    await pause(WATCH / 1000);
    if (signal.aborted) return;
    const page = await api.history(id, 0).catch(() => null);
    if (page && page.turns.at(-1)?.ending !== "asking") return open(id);
  }
}

/** Show what was said here in another tab meanwhile. */
export async function catchUp() {
  if (answering() || !flow.children.length) return;
  const { signal } = leaving;
  const page = await api.history(id, 0).catch(() => null);
  const newest = page?.turns.at(-1)?.key;
  const known = !newest || flow.querySelector(`[data-key="${newest}"]`);
  if (!known && !answering() && !signal.aborted) open(id);
}

/** So many seconds; less when the network comes back. */
function pause(seconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
    addEventListener("online", resolve, { once: true });
  });
}

/** Show a sentence in place of the conversation. */
export function trouble(sentence, again) {
  const answer = newAnswer("");
  answer.fail(sentence, again);
  flow.replaceChildren(answer.element);
  announce(sentence);
  on.change();
}

earlier.addEventListener("click", showEarlier);
