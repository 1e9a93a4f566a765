"use strict";
const query = document.getElementById("-query"), results = document.getElementById("-results");
const types = document.querySelector("ol.types");
let index = null;

function entries() {
  if (!index) {
    index = [];
    for (const section of document.querySelectorAll("section[id]:not(#-start)")) {
      const title = section.querySelector("h1");
      index.push({ id: section.id, label: section.id, note: title.dataset.name, text: `${section.id} ${title.textContent}`.toLowerCase(), rank: 0 });
      for (const row of section.querySelectorAll("tr[id]"))
        index.push({ id: row.id, label: row.id, note: row.cells[1].firstChild?.textContent || "", text: `${row.id} ${row.textContent}`.toLowerCase(), rank: 1 });
    }
  }
  return index;
}

function search() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  types.hidden = words.length > 0;
  results.replaceChildren();
  if (!words.length) return;
  const found = entries().filter((entry) => words.every((word) => entry.text.includes(word)));
  const first = words[0];
  const score = (entry) => (entry.id.toLowerCase().split(".").pop().startsWith(first) || entry.note.toLowerCase().startsWith(first) ? 0 : 1) + entry.rank / 2;
  found.sort((one, other) => score(one) - score(other) || (one.id < other.id ? -1 : 1));
  for (const entry of found.slice(0, 50)) {
    const item = document.createElement("li"), link = document.createElement("a"), note = document.createElement("small");
    link.href = `#${entry.id}`;
    link.textContent = entry.label;
    note.textContent = ` ${entry.note}`;
    link.append(note);
    item.append(link);
    results.append(item);
  }
  const count = document.createElement("li");
  count.className = "dim";
  count.textContent = found.length > 50 ? `50 of ${found.length} shown` : `${found.length} found`;
  results.append(count);
}

function move(event) {
  const links = [...results.querySelectorAll("a")], at = links.indexOf(document.activeElement);
  if (event.key === "/" && document.activeElement !== query) query.focus();
  else if (event.key === "Escape") { query.value = ""; search(); query.focus(); }
  else if (event.key === "Enter" && document.activeElement === query && links.length) links[0].click();
  else if (event.key === "ArrowDown" && links.length && (at >= 0 || document.activeElement === query)) links[Math.min(at + 1, links.length - 1)].focus();
  else if (event.key === "ArrowUp" && at >= 0) (at ? links[at - 1] : query).focus();
  else return;
  event.preventDefault();
}

function current() {
  const id = decodeURIComponent(location.hash.slice(1)).split(".")[0];
  for (const link of types.querySelectorAll("a")) {
    if (link.hash.slice(1) === id) { link.setAttribute("aria-current", "page"); link.scrollIntoView({ block: "nearest" }); }
    else link.removeAttribute("aria-current");
  }
  document.title = id ? `${id} · ${document.body.dataset.title}` : document.body.dataset.title;
}

query.addEventListener("input", search);
document.addEventListener("keydown", move);
addEventListener("hashchange", current);
current();
