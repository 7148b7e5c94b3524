// The ledger as a tool: its rows by verdict, fresh draws, paper, chapter and words. The address keeps the choice,
// so that "what failed in this chapter" can be sent to somebody.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector(".ledger-tools");
  const body = document.querySelector(".ledger tbody");
  if (!form || !body) return;
  const fields = [...form.elements].filter((field) => field.name);
  const rows = [...body.rows].map((row) => ({ row, group: row.classList.contains("group"), words: row.textContent.toLowerCase() }));
  const claims = rows.filter(({ group }) => !group).length;

  function wanted({ row, words }) {
    return fields.every(({ name, value }) =>
      name === "words"
        ? value.toLowerCase().split(/\s+/).every((word) => words.includes(word))
        : !value || row.classList.contains(`${name}-${value}`));
  }

  function filter() {
    let shown = 0;
    let heading = null;
    for (const entry of rows) {
      if (entry.group) {
        heading = entry.row;
        heading.hidden = true;
        continue;
      }
      entry.row.hidden = !wanted(entry);
      if (entry.row.hidden) continue;
      shown += 1;
      if (heading) heading.hidden = false;
    }
    form.querySelector("output").value = shown === claims ? `${claims} claims` : `${shown} of ${claims} claims`;
  }

  function keep() {
    const address = new URL(location);
    for (const { name, value } of fields) {
      if (value) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    history.replaceState(null, "", address);
  }

  const asked = new URL(location).searchParams;
  for (const field of fields) field.value = asked.get(field.name) ?? "";
  for (const field of fields) if (field.selectedIndex === -1) field.value = ""; // an address can name what is gone
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const event of ["input", "reset"]) {
    // a form is reset after its event
    form.addEventListener(event, () => setTimeout(() => { filter(); keep(); }));
  }
  form.hidden = false;
  filter();
});
