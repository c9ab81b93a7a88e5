"use strict";
// The switchboard. Every number and list is one that was searched; nothing is computed here but
// how far a product moved.

function outcome(element) {
  const { variants, command } = JSON.parse(element.querySelector("script").textContent);
  const lines = element.querySelector("template").content.children;
  const ranking = element.querySelector(".ranking");
  const whole = Object.keys(variants)[0].replaceAll("0", "1");
  const before = variants[whole][2];

  function line(place, index) {
    const item = lines[place].cloneNode(true);
    const was = before.indexOf(place);
    const rise = was - index;
    const [text, direction] =
      was < 0 ? ["new", "more"] : rise > 0 ? [`↑${rise}`, "more"] : rise < 0 ? [`↓${-rise}`, "less"] : ["", ""];
    const [rank, move] = item.children;
    rank.textContent = index + 1;
    move.textContent = text;
    move.className = direction;
    return item;
  }

  return function show(key, query) {
    const known = key in variants;
    const [value, change, list] = known ? variants[key] : ["—", "", []];
    element.querySelector(".value").textContent = value;
    element.querySelector(".change").textContent = key === whole ? "the whole query" : change;
    ranking.replaceChildren(...list.map(line));
    element.querySelector(".empty").hidden = !known || list.length > 0;
    for (const part of element.querySelectorAll(".unknown")) part.hidden = known;
    const quoted = `'${query.replaceAll("'", `'"'"'`)}'`;
    element.querySelector("pre").textContent = command ? `${command[0]} ${quoted} ${command[1]}`.trim() : query;
  };
}

for (const board of document.querySelectorAll(".board")) {
  const switches = [...board.querySelectorAll("input")];
  const outcomes = [...board.querySelectorAll(".outcome")].map(outcome);

  function update() {
    const kept = switches.filter((box) => box.checked);
    const query = kept.map((box, i) => box.value + (i + 1 < kept.length ? box.dataset.gap : "")).join("");
    const key = switches.map((box) => Number(box.checked)).join("");
    for (const show of outcomes) show(key, query);
  }

  board.querySelector("fieldset").addEventListener("change", update);
  board.querySelector("button").addEventListener("click", () => {
    for (const box of switches) box.checked = true;
    update();
  });
  board.querySelector("fieldset").hidden = false;
  board.querySelector(".unscripted").remove();
}
