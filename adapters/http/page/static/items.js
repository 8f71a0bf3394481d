// What stands in the flow: questions, and answers from their first word to their tools.

import { announce, icon, iconButton, make, size } from "./dom.js";
import { replaceFrom } from "./html.js";

const ENDINGS = {
  broken: "The connection to the model broke off.",
  filtered: "Cut by the provider's content filter.",
  length: "Cut at the length limit.",
  stopped: "Stopped.",
};
const CAN_GO_ON = ["broken", "length", "stopped"];

const heading = (text) => make("h2", { className: "unseen", textContent: text });

const about = ({ name, size: bytes }) => (bytes === undefined ? name : `${name}, ${size(bytes)}`);

export function questionItem(text, files = []) {
  const list = files.map((file) => make("li", {}, icon("file"), about(file)));
  return make(
    "article",
    { className: "question" },
    heading("You"),
    ...(text ? [make("p", { className: "text", textContent: text })] : []),
    ...(list.length ? [make("ul", { className: "files" }, ...list)] : []),
  );
}

/** An answer. `does` has what its buttons do: say(text), opine(key, value), save(document). */
export class Answer {
  constructor(does) {
    this.does = does;
    this.text = "";
    this.body = make("div", { className: "body" });
    this.state = make("p", { className: "state" });
    this.tools = make("div", { className: "tools" });
    const parts = [heading("Answer"), this.body, this.state, this.tools];
    this.element = make("article", { className: "answer growing" }, ...parts);
  }

  /** Say why there is nothing new. */
  wait(sentence) {
    this.state.textContent = sentence;
    announce(sentence);
  }

  grow({ start, html }) {
    this.state.textContent = "";
    replaceFrom(this.body, start, html);
  }

  /** Show how it ended. An answer without a key is what a command replied. */
  end({ key, ending, text, feedback = 0, document, buttons = [] }) {
    this.text = text;
    this.element.className = key ? "answer" : "answer note";
    this.element.classList.toggle("failed", ending === "failed");
    this.element.dataset.key = key;
    this.state.replaceChildren(ENDINGS[ending] ?? "");
    if (CAN_GO_ON.includes(ending) && text) this.offer("go", "Continue", () => this.does.say("/continue"));
    if (ending === "failed" && key) this.offer("again", "Retry", () => this.does.say("/retry"));
    if (document) this.offer("file", `Save ${document}`, () => this.does.save(document));
    if (buttons.length) this.element.append(choices(buttons, this.does.say));
    if (key && ending !== "failed") this.equip(feedback);
  }

  /** Say why there is no answer, and offer another try. */
  fail(sentence, again) {
    this.element.className = "answer failed";
    this.state.replaceChildren(sentence);
    this.offer("again", "Retry", again);
  }

  offer(picture, label, onclick) {
    const button = make("button", { type: "button", className: "offer", onclick }, icon(picture), label);
    this.state.append(" ", button);
  }

  equip(feedback) {
    const copy = iconButton("copy", "Copy the answer", () => copied(copy, this.text));
    const again = iconButton("again", "Answer again", () => this.does.say("/retry"));
    again.classList.add("again");
    this.tools.replaceChildren(copy, ...this.thumbs(Math.sign(feedback)), again);
  }

  thumbs(value) {
    const thumbs = [
      ["yes", "Good answer", 1],
      ["no", "Bad answer", -1],
    ].map(([picture, label, meaning]) =>
      iconButton(picture, label, () => press(meaning), { "aria-pressed": meaning === value }),
    );
    const press = async (meaning) => {
      const next = value === meaning ? 0 : meaning;
      if (!(await this.does.opine(this.element.dataset.key, next))) return;
      value = next;
      thumbs[0].setAttribute("aria-pressed", value === 1);
      thumbs[1].setAttribute("aria-pressed", value === -1);
    };
    return thumbs;
  }
}

/** The buttons below what a command replied. One is pressed, then none of them any more. */
function choices(buttons, say) {
  const row = make("div", { className: "buttons" });
  const press = (says) => {
    for (const each of row.children) each.disabled = true;
    say(says);
  };
  const element = ({ label, says }) =>
    make("button", { type: "button", textContent: label, onclick: () => press(says) });
  row.append(...buttons.map(element));
  return row;
}

/** Copy a text, and show on the button that it worked. */
export async function copied(button, text) {
  const before = [...button.childNodes];
  await copy(text);
  button.replaceChildren(...(button.classList.contains("icon") ? [icon("done")] : ["Copied"]));
  setTimeout(() => button.replaceChildren(...before), 1500);
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = make("textarea", { value: text }); // without HTTPS there is only the old way
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
