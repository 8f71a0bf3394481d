// Commands, offered below the field in which they are typed.

import { announce, find, make } from "./dom.js";

const field = find("say");
const list = find("commands");
let commands = [];
let chosen = -1;

export const offer = (all) => (commands = all);
export const offering = () => !list.hidden;

/** Offer what the text may become; nothing once there is more than a command's name. */
export function suggest() {
  const text = field.value.toLowerCase();
  const fit = /^\/[a-z ]*$/.test(text) ? commands.filter((each) => each.name.startsWith(text)) : [];
  if (!fit.length || (fit.length === 1 && fit[0].name === text)) return close();
  fit.sort((one, other) => (other.name === text) - (one.name === text)); // what is typed whole, first
  list.replaceChildren(...fit.map(option));
  list.hidden = false;
  choose(0);
  announce(`${fit.length} commands: ${fit.map((each) => each.name).join(", ")}`);
}

export function close() {
  list.hidden = true;
  chosen = -1;
  field.removeAttribute("aria-activedescendant");
  field.removeAttribute("aria-controls");
}

/** Whether a key was meant for the list. Tab and Enter take what is chosen, the arrows choose. */
export function takesKey(event) {
  if (!offering() || event.shiftKey || event.isComposing) return false;
  if (event.key === "Enter" && named() === field.value.toLowerCase()) return close(), false;
  const keys = {
    ArrowDown: () => choose(chosen + 1),
    ArrowUp: () => choose(chosen - 1),
    Enter: take,
    Tab: take,
    Escape: close,
  };
  const does = keys[event.key];
  does?.();
  return Boolean(does);
}

function option(command, index) {
  return make(
    "li",
    { id: `command-${index}`, role: "option", onclick: () => (choose(index), take()) },
    make("b", { textContent: command.name }),
    ` ${command.arguments} `,
    make("span", { textContent: command.summary }),
  );
}

function choose(index) {
  const options = [...list.children];
  chosen = (index + options.length) % options.length;
  options.forEach((each, at) => each.setAttribute("aria-selected", at === chosen));
  options[chosen].scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-activedescendant", options[chosen].id);
}

const named = () => list.children[chosen].querySelector("b").textContent;

function take() {
  const { name, arguments: more } = commands.find((each) => each.name === named());
  field.value = more ? `${name} ` : name;
  close();
  field.focus();
}

list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
field.addEventListener("blur", close);
