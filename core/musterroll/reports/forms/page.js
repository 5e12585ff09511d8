"use strict";
// Search, filter and sort the tables of the page. Texts are only ever read, never made into markup.
const compare = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" }).compare;

function tend(section) {
  const body = section.querySelector("tbody");
  const rows = Array.from(body.rows, (row) => ({ row, text: row.textContent.toLowerCase() }));
  const tools = section.querySelector(".tools");

  if (tools) {
    const search = tools.querySelector("input");
    const choice = tools.querySelector("select");
    const told = tools.querySelector("output");
    let waiting = 0;

    const filter = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const kind = choice ? choice.value : "";
      let shown = 0;
      for (const { row, text } of rows) {
        const fits = (!kind || row.dataset.kind === kind) && words.every((word) => text.includes(word));
        if (row.hidden === fits) row.hidden = !fits;
        shown += fits;
      }
      const said = shown === rows.length ? told.dataset.every : told.dataset.some;
      told.value = said.replace("{shown}", shown).replace("{count}", rows.length);
    };
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(filter, 120);
    });
    if (choice) choice.addEventListener("input", filter);
    filter();
    tools.hidden = false;
  }

  const heads = Array.from(section.querySelectorAll("thead th"));
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = rows.map((entry) => [entry.row.cells[place].textContent, entry.row]);
      keyed.sort((one, other) => (down ? compare(other[0], one[0]) : compare(one[0], other[0])));
      body.append(...keyed.map((pair) => pair[1]));
    });
  });
}

document.querySelectorAll("section.listed").forEach(tend);
