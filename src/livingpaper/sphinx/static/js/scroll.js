// A box that scrolls sideways can be reached and moved with the keyboard, as the theme does for tables and code;
// one that does not scroll is no stop on the way.
const BOXES = "div.math";

function mark() {
  for (const box of document.querySelectorAll(BOXES)) {
    const scrolls = box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX !== "visible";
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

let waiting;
const markSoon = () => {
  clearTimeout(waiting);
  waiting = setTimeout(mark, 200);
};
addEventListener("load", () => {
  mark();
  // formulas get their width when they are typeset
  window.MathJax?.startup?.promise?.then(mark);
});
addEventListener("resize", markSoon);
