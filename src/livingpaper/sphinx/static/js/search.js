// Summaries of the pages found are fetched, which a browser refuses to pages opened from disk: there they are left out.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// A reader looks for what the book says: the reference of the code comes last, and equals come in the order of chapters.
document.addEventListener("DOMContentLoaded", () => {
  if (typeof Scorer === "undefined") return;
  Scorer.score = ([page, title, , , score]) => {
    const chapter = parseInt(title.replace(/<[^>]*>/g, ""));
    return score - (/\bapi\//.test(page) ? 100 : 0) + (chapter ? 1 / (1 + chapter) : 0);
  };
});

// A chapter says many things in nearly the same words: beyond the first few found they fold below these.
document.addEventListener("DOMContentLoaded", () => {
  const FEW = 3;
  const KINDS = { claim: "claims", fig: "figures", tab: "tables" };
  const results = document.getElementById("search-results");
  if (!results) return;
  const groups = new Map();

  function fold(entry) {
    entry.dataset.seen = "";
    const [whole, kind] = entry.querySelector("a")?.getAttribute("href").match(/^.*#(claim|fig|tab)-/) ?? [];
    if (!whole) return;
    const group = groups.get(whole) ?? { shown: 0 };
    groups.set(whole, group);
    if (group.shown < FEW) {
      group.shown += 1;
      group.last = entry;
      return;
    }
    if (!group.list) {
      const more = group.last.appendChild(document.createElement("details"));
      group.summary = more.appendChild(document.createElement("summary"));
      group.list = more.appendChild(document.createElement("ul"));
    }
    group.list.append(entry);
    group.summary.textContent = `${group.list.children.length} more ${KINDS[kind]} of this chapter`;
  }

  const look = () => results.querySelectorAll("ul.search > li:not([data-seen])").forEach(fold);
  new MutationObserver(look).observe(results, { childList: true, subtree: true });
  look();
});
