// A contract: findings on one side, its pages on the other. Choosing either shows the other. Deciding takes one key;
// how many keys and seconds a decision took is measured here and sent with it.

import { isPlain, isTyping } from "./common.js";

const KEYS = { c: "confirmed", o: "overridden", r: "rejected", x: "not_applicable", i: "needs_info", e: "escalated" };
const WITH_VALUE = "overridden";
const STEP = 1.25;
const FEWEST_POINTS = 0.25;
const MOST_POINTS = 6;

const find = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];

const sheets = find(".sheets");
const form = find("#decide");
const items = new Map(all("[data-item]").map((item) => [item.dataset.item, item]));
const boxes = all(".box");
let chosen = find("[data-item][aria-current]");

// Measures. Time counts while the page is seen; keys count until a decision is made, over pages that were left.

let keystrokes = Number(sessionStorage.getItem("review.keystrokes") ?? 0);
let spent = 0;
let since = performance.now();

function counted() {
  keystrokes += 1;
  sessionStorage.setItem("review.keystrokes", String(keystrokes));
}

const seconds = () => (spent + (document.hidden ? 0 : performance.now() - since)) / 1000;

document.addEventListener("visibilitychange", () => {
  if (document.hidden) spent += performance.now() - since;
  since = performance.now();
});
document.addEventListener("keydown", (event) => {
  if (!["Shift", "Control", "Alt", "Meta"].includes(event.key) && !event.repeat) counted();
}, true);
document.addEventListener("pointerdown", counted, true);

// Choosing

function choose(item, { scrollItem = true, scrollPage = true, keep = true } = {}) {
  if (!item) return;
  const isOther = item !== chosen;
  if (isOther) {
    chosen?.removeAttribute("aria-current");
    item.setAttribute("aria-current", "true");
    chosen = item;
    spent = 0;
    since = performance.now();
    if (keep) history.replaceState(null, "", item.querySelector("a.choose").href);
    fill(item);
  }
  for (const box of boxes) {
    const isChosen = box.dataset.for === item.dataset.item;
    box.classList.toggle("chosen", isChosen);
    if (isChosen) box.parentNode.append(box); // above the others
  }
  if (scrollItem) item.scrollIntoView({ block: "nearest" });
  if (scrollPage) showBoxOf(item);
}

function showBoxOf(item) {
  const box = boxes.find((one) => one.dataset.for === item.dataset.item);
  const sheet = box ? box.closest(".sheet") : find(`#page-${item.dataset.page}`);
  if (!sheet) return;
  const pane = sheets.getBoundingClientRect();
  const place = (box ?? sheet).getBoundingClientRect();
  const top = place.top - pane.top - (box ? Math.max(40, (pane.height - place.height) / 3) : 12);
  const isSeen = box && place.top > pane.top + 20 && place.bottom < pane.bottom - 20;
  const left = place.left < pane.left || place.right > pane.right ? place.left - pane.left - 40 : 0;
  if (!isSeen || left) sheets.scrollBy({ top: isSeen ? 0 : top, left });
}

function fill(item) {
  if (!form) return;
  const { target, item: id, hash, name, value, form: help, choices, blind } = item.dataset;
  form.elements.target.value = target;
  form.elements.target_id.value = id;
  form.elements.evidence_hash.value = hash;
  form.elements.blind.value = blind;
  form.querySelector("[data-subject]").textContent = name;
  form.elements.new_value.value = "";
  form.elements.reason_code.value = "";
  form.elements.comment.value = "";
  form.querySelector("#form-help").textContent = help;
  form.querySelector("#choices").replaceChildren(
    ...choices.split(" ").filter(Boolean).map((choice) => Object.assign(document.createElement("option"), { value: choice })),
  );
  form.elements.new_value.dataset.was = value;
  openDetails(false);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.choose");
  if (link && isPlain(event) && !event.shiftKey) {
    event.preventDefault();
    choose(link.closest("[data-item]"));
    return;
  }
  const box = event.target.closest(".box");
  if (box) {
    choose(items.get(box.dataset.for), { scrollPage: false });
    return;
  }
  const shows = event.target.closest("[data-shows-mark]");
  if (shows) {
    event.preventDefault();
    const mark = find(`.mark[data-mark="${shows.dataset.showsMark}"]`) ?? find(`#page-${shows.dataset.page}`);
    mark?.scrollIntoView({ block: "center", inline: "center" });
  }
});

// Deciding

const details = find("#details");
const overrides = all("[data-for-override]");

function openDetails(isOpen, withValue = false) {
  if (!details) return;
  details.hidden = !isOpen;
  for (const field of overrides) field.hidden = !withValue;
  find("[data-decision=confirmed]").classList.toggle("main", !withValue);
  find(`[data-decision=${WITH_VALUE}]`).classList.toggle("main", withValue);
  find("[data-do=note]").setAttribute("aria-expanded", String(isOpen));
}

function tell(text) {
  const place = find("#problem");
  place.textContent = text;
  place.hidden = !text;
  if (text) place.scrollIntoView({ block: "nearest" });
}

let isSending = false;

async function decide(decision) {
  if (!form || isSending) return;
  if (decision === "confirmed" && form.elements.blind.value === "yes") decision = WITH_VALUE; // the value is not seen
  if (decision === WITH_VALUE && overrides[0].hidden) {
    openDetails(true, true);
    if (!form.elements.new_value.value) form.elements.new_value.value = form.elements.new_value.dataset.was ?? "";
    form.elements.new_value.focus();
    form.elements.new_value.select();
    return;
  }
  form.elements.seconds.value = seconds().toFixed(1);
  form.elements.keystrokes.value = String(keystrokes);
  form.elements.skipped.value = sessionStorage.getItem("review.skipped") ?? "";
  const sent = new URLSearchParams(new FormData(form));
  sent.set("decision", decision);
  await send("/decisions", sent, (answer) => {
    sessionStorage.setItem("review.last", String(answer.standing.number));
    sessionStorage.removeItem("review.keystrokes");
    location.assign(answer.next);
  });
}

async function undo() {
  const number = sessionStorage.getItem("review.last");
  if (!form || isSending || !number) return;
  await send(`/decisions/${number}/undo`, new URLSearchParams({ csrf: form.elements.csrf.value }), (answer) => {
    sessionStorage.removeItem("review.last");
    location.assign(`${answer.next}${answer.next.includes("?") ? "&" : "?"}said=undone`);
  });
}

async function send(address, sent, then) {
  isSending = true;
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  try {
    const answer = await fetch(address, { method: "POST", body: sent, headers: { accept: "application/json" } });
    const told = await answer.json();
    if (answer.ok) {
      tell("");
      then(told);
      return;
    }
    tell(`${told.message} ${told.help}`);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    tell(form.dataset.failed);
  }
  isSending = false;
  for (const button of form.querySelectorAll("button")) button.disabled = false;
}

function step(by) {
  const flags = all("[data-item][data-target=flag]");
  const kin = chosen?.dataset.target === "flag" || !chosen ? flags : all(`[data-item][data-target=${chosen.dataset.target}]`);
  const open = kin.filter((item) => item === chosen || item.dataset.open === "yes");
  const next = open[open.indexOf(chosen) + by];
  if (by > 0 && chosen?.dataset.target === "flag") {
    const skipped = (sessionStorage.getItem("review.skipped") ?? "").split(",").filter(Boolean);
    sessionStorage.setItem("review.skipped", [...skipped, chosen.dataset.item].slice(-100).join(","));
  }
  if (next) choose(next);
  else find(by > 0 ? "a[rel=next]" : "a[rel=prev]")?.click();
}

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    decide(event.submitter?.dataset.decision ?? (overrides[0].hidden ? "confirmed" : WITH_VALUE));
  });
  form.addEventListener("keydown", (event) => {
    const isIn = event.target.matches("input, select");
    if (event.key === "Enter" && isIn && !event.isComposing) {
      event.preventDefault();
      decide(WITH_VALUE);
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      decide(overrides[0].hidden ? "confirmed" : WITH_VALUE);
    } else if (event.key === "Escape") {
      openDetails(false);
      sheets.focus({ preventScroll: true });
    }
  });
  if (chosen) form.elements.new_value.dataset.was = chosen.dataset.value;
  openDetails(false);
  find("[data-do=undo]").hidden = !sessionStorage.getItem("review.last");
}

// The pages: points to pixels, and quarter turns

let points = null; // pixels a point; null fits the pane's width
let turns = 0;
let isBeside = false;

function lay() {
  const room = (sheets.clientWidth - 32) / (isBeside ? 2 : 1) - (isBeside ? 8 : 0);
  let shown = 1;
  for (const sheet of all(".sheet")) {
    const width = Number(sheet.dataset.width);
    const height = Number(sheet.dataset.height);
    const isTurned = turns % 2 === 1;
    const scale = points ?? Math.min(room / (isTurned ? height : width), 2.2);
    const [w, h] = [width * scale, height * scale];
    sheet.style.width = `${isTurned ? h : w}px`;
    sheet.style.height = `${isTurned ? w : h}px`;
    const turn = sheet.querySelector(".turn");
    turn.style.width = `${w}px`;
    turn.style.height = `${h}px`;
    const moves = ["", `translate(${h}px, 0)`, `translate(${w}px, ${h}px)`, `translate(0, ${w}px)`];
    turn.style.transform = `${moves[turns]} rotate(${turns * 90}deg)`;
    if (sheet === current()) shown = scale;
  }
  find("[data-zoom]").textContent = `${Math.round((shown / (96 / 72)) * 100)} %`;
}

function current() {
  const middle = sheets.getBoundingClientRect().top + sheets.clientHeight / 3;
  const of = all(".sheet:not(.original)");
  return of.findLast((sheet) => sheet.getBoundingClientRect().top <= middle) ?? of[0];
}

function zoom(by) {
  const sheet = current();
  const now = parseFloat(sheet?.querySelector(".turn").style.width) / Number(sheet?.dataset.width) || 1;
  points = by === null ? null : Math.max(FEWEST_POINTS, Math.min(MOST_POINTS, now * by));
  lay();
  if (chosen) showBoxOf(chosen);
}

function turn(by) {
  turns = (turns + by + 4) % 4;
  lay();
  if (chosen) showBoxOf(chosen);
}

function beside() {
  isBeside = !isBeside;
  sheets.classList.toggle("beside", isBeside);
  find("[data-do=beside]")?.setAttribute("aria-pressed", String(isBeside));
  for (const one of all(".sheet.original")) one.remove();
  if (isBeside) {
    for (const image of all("img[data-original]")) {
      const sheet = image.closest(".sheet");
      const copy = sheet.cloneNode(true);
      copy.classList.add("original");
      copy.removeAttribute("id");
      copy.querySelector("svg").remove();
      const picture = copy.querySelector("img");
      picture.src = image.dataset.original;
      picture.alt = image.dataset.originalAlt;
      delete picture.dataset.original;
      picture.classList.add("whole");
      sheet.after(copy);
    }
  }
  lay();
}

function showProblem(image) {
  const place = document.createElement("p");
  place.className = "problem";
  place.textContent = sheets.dataset.missing;
  image.replaceWith(place);
  fetch(image.src, { headers: { accept: "application/json" } })
    .then((answer) => (answer.ok ? null : answer.json()))
    .then((told) => {
      if (told) place.textContent = `${told.message} ${told.help}`;
    })
    .catch(() => {});
}

for (const image of all(".sheet img")) {
  if (image.complete && image.naturalWidth === 0 && image.src) showProblem(image);
  else image.addEventListener("error", () => showProblem(image), { once: true });
}

const DO = {
  smaller: () => zoom(1 / STEP),
  larger: () => zoom(STEP),
  fit: () => zoom(null),
  left: () => turn(-1),
  right: () => turn(1),
  beside,
  undo,
  note: () => {
    if (details.hidden) openDetails(true);
    else if (overrides[0].hidden) {
      openDetails(false);
      return;
    }
    form.elements.comment.focus();
  },
};

const PAGE_KEYS = { "+": "larger", "=": "larger", "-": "smaller", 0: "fit", "[": "left", "]": "right", b: "beside", u: "undo" };

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) DO[button.dataset.do]?.();
});

document.addEventListener("keydown", (event) => {
  if (!isPlain(event) || isTyping(event) || document.querySelector("dialog[open]") || event.repeat) return;
  const key = event.key;
  if (key === "n" || key === "j") step(1);
  else if (key === "p" || key === "k") step(-1);
  else if (key in KEYS && form) decide(KEYS[key]);
  else if (key === "m" && form) DO.note();
  else if (key in PAGE_KEYS && (key !== "b" || find("[data-do=beside]"))) DO[PAGE_KEYS[key]]();
  else return;
  event.preventDefault();
});

find("[data-go-to-page]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  find(`#page-${Number(event.target.elements.page.value)}`)?.scrollIntoView({ block: "start" });
});

sheets.addEventListener("scroll", () => {
  const field = find("#page");
  if (document.activeElement !== field && current()) field.value = current().dataset.page;
}, { passive: true });

// The tab of the part that is read

const parts = all(".sections > section");
const tabs = new Map(all(".tabs a").map((tab) => [tab.hash.slice(1), tab]));
const watch = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (isIntersecting) for (const [name, tab] of tabs) {
      if (name === target.id) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
  }
}, { root: find(".sections"), rootMargin: "0px 0px -75% 0px" });
for (const part of parts) watch.observe(part);

new ResizeObserver(lay).observe(sheets);
sheets.style.scrollBehavior = "auto";
lay();
if (chosen) choose(chosen, { keep: false });
sheets.style.scrollBehavior = "";
document.documentElement.dataset.ready = "yes";
