// The meaning of a symbol or term: shown while pointer or focus is on it, or after a tap. Without this script its link
// leads to the table of notation or the glossary.
(() => {
  "use strict";

  const GAP = 8; // pixels between a meaning and the window's edge

  const hide = (meaning) => (meaning.querySelector(".meaning-text").hidden = true);

  /** Put a meaning below its word, or above where there is no room; boxes that cut off what is in them do not cut this. */
  const place = (meaning) => {
    const word = meaning.querySelector(".meaning-of").getBoundingClientRect();
    const text = meaning.querySelector(".meaning-text");
    const room = { x: document.documentElement.clientWidth - GAP, y: document.documentElement.clientHeight - GAP };
    const below = word.bottom + text.offsetHeight <= room.y;
    text.style.left = `${Math.max(Math.min(word.left, room.x - text.offsetWidth), GAP)}px`;
    text.style.top = `${below ? word.bottom : word.top - text.offsetHeight}px`;
  };

  const show = (meaning) => {
    document.querySelectorAll(".meaning").forEach((other) => other !== meaning && hide(other));
    meaning.querySelector(".meaning-text").hidden = false;
    place(meaning);
  };

  const replace = () => {
    for (const text of document.querySelectorAll(".meaning-text:not([hidden])")) place(text.parentElement);
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const meaning of document.querySelectorAll(".meaning")) {
      const link = meaning.querySelector(".meaning-of");
      // the text is inside of the element: the pointer may move onto it
      meaning.addEventListener("mouseenter", () => show(meaning));
      meaning.addEventListener("mouseleave", () => document.activeElement !== link && hide(meaning));
      link.addEventListener("focus", () => show(meaning));
      link.addEventListener("blur", () => hide(meaning));
      // a finger has no way to point: the first tap shows the meaning, a second one follows the link
      let first = false;
      link.addEventListener("pointerdown", (event) => {
        first = event.pointerType === "touch" && meaning.querySelector(".meaning-text").hidden;
      });
      link.addEventListener("click", (event) => {
        if (!first) return;
        first = false;
        event.preventDefault();
        show(meaning);
      });
    }
    addEventListener("scroll", replace, { capture: true, passive: true });
    addEventListener("resize", replace);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") document.querySelectorAll(".meaning").forEach(hide);
    });
  });
})();
