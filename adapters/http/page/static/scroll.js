// The flow follows what grows, as long as the person is at its end.

import { find } from "./dom.js";

const NEAR = 48; // pixels from the end that count as the end
const scroller = find("scroller");
let following = true;
let last = 0; // where the scroller was

export function toNewest() {
  following = true;
  scroller.scrollTop = scroller.scrollHeight;
}

/** Do something above what is seen, which stays where it is. */
export function keepingPlace(change) {
  const fromEnd = scroller.scrollHeight - scroller.scrollTop;
  change();
  scroller.scrollTop = scroller.scrollHeight - fromEnd;
}

scroller.addEventListener("scroll", () => {
  const { scrollTop, scrollHeight, clientHeight } = scroller;
  if (scrollHeight - scrollTop - clientHeight < NEAR) following = true;
  else if (scrollTop < last) following = false; // only the person goes back
  last = scrollTop;
  find("newest").hidden = following;
});
find("newest").addEventListener("click", () => {
  toNewest();
  find("say").focus();
});

const sizes = new ResizeObserver(() => following && toNewest());
sizes.observe(find("flow"));
sizes.observe(scroller);
