// On paper nothing can be opened: what is known of a claim, a derivation and a solution are open there.
addEventListener("beforeprint", () => {
  for (const more of document.querySelectorAll("details:is(.more, .sd-dropdown)")) more.open = true;
});
