// The copy buttons' library copies from a field that it adds and takes away again, and leaves the keyboard with no place
// to go on from: give it back to the button. The library listens to clicks on the body, hence before this.
document.addEventListener("click", (event) => event.target.closest?.(".copybtn")?.focus());
