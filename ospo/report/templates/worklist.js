"use strict";
// Sorts the queries by a column: by what it says, the largest number or the first word first.

const body = document.querySelector(".queries tbody");
const rows = body ? [...body.rows] : []; // in the order of the page, which breaks ties
const headings = [...document.querySelectorAll(".queries th[data-by]")];

function sort(heading, descending) {
  const place = heading.cellIndex;
  const sign = descending ? -1 : 1;
  const key =
    heading.dataset.by === "number"
      ? (text) => Number(text.replace("−", "-"))
      : (text) => text;
  const compare = heading.dataset.by === "number" ? (a, b) => a - b : new Intl.Collator().compare;
  const keyed = rows.map((row) => [key(row.cells[place].textContent.trim()), row]);
  keyed.sort(([a], [b]) => sign * compare(a, b));
  body.replaceChildren(...keyed.map(([, row]) => row));
  for (const other of headings) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

for (const heading of headings) {
  const button = document.createElement("button");
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => {
    const first = heading.dataset.by === "number" ? "descending" : "ascending";
    const now = heading.getAttribute("aria-sort");
    sort(heading, now ? now === "ascending" : first === "descending");
  });
}
