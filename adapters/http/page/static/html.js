// The one place where text becomes HTML. The server wrote it, block by block; under the page's
// policy no other script could do this, and nothing in it would run.

const trusted = globalThis.trustedTypes ?? { createPolicy: (_, rules) => rules };
const policy = trusted.createPolicy("answers", { createHTML: (html) => html });

function nodes(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return template.content;
}

/** Put blocks, one element each, in place of all children of `parent` from number `start` on. */
export function replaceFrom(parent, start, blocks) {
  while (parent.children.length > start) parent.lastElementChild.remove();
  parent.append(...blocks.map(nodes));
}
