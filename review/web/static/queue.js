// Lists: a row is chosen with j and k, opened with Enter, marked with the space bar.

import { isPlain, isTyping } from "./common.js";

const rows = [...document.querySelectorAll("[data-row]")];
let at = -1;

function choose(place) {
  if (!rows.length) return;
  rows[at]?.classList.remove("chosen");
  at = Math.max(0, Math.min(rows.length - 1, place));
  rows[at].classList.add("chosen");
  rows[at].querySelector("a.reason")?.focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: "nearest" });
}

function count() {
  const chosen = document.querySelectorAll("[data-row] input[type=checkbox]:checked").length;
  for (const place of document.querySelectorAll("[data-count]")) place.textContent = chosen ? `(${chosen})` : "";
}

document.addEventListener("keydown", (event) => {
  if (!isPlain(event) || isTyping(event) || document.querySelector("dialog[open]")) return;
  if (event.key === "j" || event.key === "n") choose(at + 1);
  else if (event.key === "k" || event.key === "p") choose(at - 1);
  else if (event.key === " " && at >= 0 && !event.target.closest("button, input, summary")) {
    const box = rows[at].querySelector("input[type=checkbox]");
    if (box) box.checked = !box.checked;
    count();
  } else if (event.key === "Enter" && at >= 0 && event.target === document.body) rows[at].querySelector("a.reason").click();
  else return;
  event.preventDefault();
});

document.addEventListener("change", count);
count();
sessionStorage.removeItem("review.skipped");
