// What every page does: shortcuts, the list of keys, forms that go off on a change.

export const isTyping = (event) =>
  event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;

export const isPlain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;

const help = document.getElementById("help");

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
});

document.addEventListener("keydown", (event) => {
  if (!isPlain(event) || isTyping(event) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    help?.showModal();
  } else if (event.key === "/") {
    const search = document.querySelector("[data-key='/']");
    if (!search) return;
    search.focus();
    search.select();
  } else if (event.key === "q" && location.pathname !== "/queue") {
    location.assign(document.body.dataset.queue || "/queue");
  } else if (event.key === "Enter" && event.target === document.body) {
    document.querySelector("a[data-key='Enter']")?.click();
  } else {
    return;
  }
  event.preventDefault();
});

for (const form of document.querySelectorAll("[data-submits-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

for (const select of document.querySelectorAll("select[data-goes]")) {
  select.addEventListener("change", () => location.assign(select.value));
}
