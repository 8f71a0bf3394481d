// The page: which conversation is open, and how its parts hear of each other.

import * as api from "./api.js";
import * as attachments from "./attachments.js";
import * as completion from "./completion.js";
import * as composer from "./composer.js";
import * as conversation from "./conversation.js";
import { drawIcons, find, make, newId } from "./dom.js";
import { copied } from "./items.js";
import { forgetKey, key } from "./key.js";
import * as sidebar from "./sidebar.js";

const EXAMPLES = [
  "Explain how a bicycle stays upright",
  "Write a Python function that finds duplicates in a list",
  "Compare three ways to brew coffee, as a table",
  "/help",
];
const NEW = "New conversation";
const HASH = /^#\/([\w-]{1,64})$/;

const flow = find("flow");
const model = find("model");
let chosen = "";

const questions = () => [...flow.querySelectorAll(".question .text")].map((each) => each.textContent);

const firstWords = () => questions().find((each) => !each.startsWith("/"))?.slice(0, 80);

/** Open what the address names, or something new. */
function openAddressed() {
  const addressed = HASH.exec(location.hash)?.[1];
  if (addressed && addressed === conversation.current()) return;
  if (location.hash && !addressed) return; // a link inside of the page
  if (addressed) conversation.open(addressed);
  else conversation.begin(newId());
  sidebar.mark(conversation.current());
  sidebar.toggle(false);
  if (matchMedia("(hover: hover)").matches) find("say").focus();
}

function begin() {
  history.pushState(null, "", location.pathname);
  openAddressed();
}

function send(text, files) {
  const address = `#/${conversation.current()}`;
  if (location.hash !== address) history.replaceState(null, "", address);
  conversation.ask(text, files);
}

/** Show what depends on whether something was said, or is being said. */
function update() {
  const title = sidebar.titleOf(conversation.current()) ?? firstWords() ?? NEW;
  find("title").textContent = title;
  document.title = title === NEW ? "tunebot" : `${title} · tunebot`;
  find("welcome").hidden = flow.children.length > 0 || !find("greeting").textContent;
  composer.show({ answering: conversation.answering() });
  const articles = [...flow.children].filter((each) => !each.matches(".note"));
  articles.forEach((each) => each.classList.toggle("latest", each === articles.at(-1)));
}

async function said(question, { key, ending }) {
  const [, name] = /^\/model\s+(\S+)\s*$/.exec(question.text) ?? [];
  if (name && !key && ending === "whole") showModel(name);
  await sidebar.refresh(conversation.current());
  update();
}

/** Show the model that was chosen here; the core's first one answers where none was. */
function showModel(name) {
  chosen = name;
  model.value = name || model.options[0]?.value;
}

function welcome({ greeting, commands, models, max_upload: most }) {
  find("greeting").textContent = greeting;
  find("examples").replaceChildren(...EXAMPLES.map(example));
  model.replaceChildren(...models.map(({ name }) => make("option", { value: name, textContent: name })));
  model.hidden = models.length < 2;
  showModel(chosen);
  completion.offer(commands);
  attachments.limit(most);
}

function example(text) {
  const onclick = () => (send(text, []), find("say").focus());
  return make("li", {}, make("button", { type: "button", textContent: text, onclick }));
}

async function meet() {
  try {
    welcome(await api.start());
  } catch (error) {
    return conversation.trouble(error.message, () => location.reload());
  }
  find("forget-key").hidden = !key();
  await sidebar.refresh(conversation.current());
  update();
}

conversation.on.change = update;
conversation.on.said = said;
conversation.on.model = showModel;
Object.assign(composer.on, { send, stop: conversation.stop, questions });

addEventListener("popstate", openAddressed);
find("new").addEventListener("click", begin);
find("say").addEventListener("input", update);
model.addEventListener("change", () => send(`/model ${model.value}`, []));
find("forget-key").addEventListener("click", () => {
  forgetKey();
  location.reload();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  sidebar.refresh(conversation.current());
  conversation.catchUp();
});
flow.addEventListener("click", ({ target }) => {
  const button = target.closest(".copy");
  if (button) copied(button, button.closest(".code").querySelector("code").textContent);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  find("say").focus();
});
find("theme").value = document.documentElement.dataset.theme;
find("theme").addEventListener("change", ({ target }) => {
  localStorage.setItem("theme", target.value);
  document.documentElement.dataset.theme = target.value;
});

drawIcons();
openAddressed();
meet();
