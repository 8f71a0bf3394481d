// The field in which the person writes.

import { attached, take } from "./attachments.js";
import * as completion from "./completion.js";
import { find, tell } from "./dom.js";

const field = find("say");
const HIGHEST = 0.4; // of the window
let recalled = 0; // how many questions back the field shows, 0 for none

/** What others do; main.js sets them. `questions` gives what was asked, oldest first. */
export const on = { send: () => {}, stop: () => {}, questions: () => [] };

/** Show that an answer grows: then the button stops it, unless there is something to send. */
export function show({ answering }) {
  const empty = !field.value.trim() && !attached();
  find("stop").hidden = !(answering && empty);
  find("send").hidden = answering && empty;
}

export function write(text) {
  field.value = text;
  grow();
  field.dispatchEvent(new Event("input"));
  field.focus();
}

/** As high as its text, up to a limit. */
function grow() {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, HIGHEST * innerHeight)}px`;
}

async function send() {
  const text = field.value;
  if (!text.trim() && !attached()) return;
  completion.close();
  field.value = "";
  recalled = 0;
  grow();
  const files = await take();
  if (files) return on.send(text, files);
  tell("A file cannot be sent. Remove it, or attach it again.");
  write(text);
}

/** Put an earlier question into the field; `step` is 1 to go back, -1 to come forward. */
function recall(step) {
  const questions = on.questions();
  recalled = Math.max(0, Math.min(questions.length, recalled + step));
  field.value = recalled ? questions[questions.length - recalled] : "";
  grow();
}

function onKey(event) {
  if (completion.takesKey(event)) return event.preventDefault();
  const { key, shiftKey, isComposing } = event;
  const recalls = recalled > 0 || !field.value;
  if (key === "Enter" && !shiftKey && !isComposing) send();
  else if (key === "ArrowUp" && recalls) recall(1);
  else if (key === "ArrowDown" && recalled > 0) recall(-1);
  else return;
  event.preventDefault();
}

field.addEventListener("keydown", onKey);
field.addEventListener("input", () => {
  recalled = 0;
  grow();
  completion.suggest();
});
find("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
find("stop").addEventListener("click", () => {
  on.stop();
  field.focus();
});
addEventListener("keydown", (event) => {
  const elsewhere = event.defaultPrevented || document.querySelector("dialog[open], .listed");
  if (event.key === "Escape" && !elsewhere) on.stop();
});
