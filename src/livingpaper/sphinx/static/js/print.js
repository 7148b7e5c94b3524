// On paper nothing can be opened: what is known of a claim is open there.
addEventListener("beforeprint", () => {
  for (const more of document.querySelectorAll("details.more")) more.open = true;
});
