// A box that scrolls sideways can be reached and moved with the keyboard, as the theme does for tables and code; one
// that does not scroll is no stop on the way. Where there is more to the right, the box fades there.
const FORMULAS = "div.math";
const BOXES = `${FORMULAS}, .pst-scrollable-table-container`;

function mark() {
  for (const box of document.querySelectorAll(BOXES)) {
    const scrolls = box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX !== "visible";
    const rest = box.scrollWidth - box.clientWidth - box.scrollLeft;
    box.classList.toggle("has-more", scrolls && rest > 1);
    if (!box.matches(FORMULAS)) continue;
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
addEventListener("scroll", (event) => event.target.matches?.(BOXES) && markSoon(), true);
