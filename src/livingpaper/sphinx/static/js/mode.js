// Without JavaScript the pages are light: the theme knows no colours for "auto". With it they follow the system, from
// the first moment on, until the reader chooses otherwise.
if (!localStorage.getItem("mode")) {
  const root = document.documentElement;
  root.dataset.mode = "auto";
  root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
