// What the theme's scripts leave for us to put right once the page is complete.
"use strict";

// A folded solution would be missing on paper.
addEventListener("beforeprint", () => {
  document.querySelectorAll("article details").forEach((details) => (details.open = true));
});

// A prediction: the answer says what the reader picked. The pick stays in this page alone.
for (const answer of document.querySelectorAll("details.reveal")) {
  const box = document.getElementById(answer.dataset.prediction);
  const line = answer.querySelector(".answer");
  if (!box || !line) continue;
  const { answer: right, folklore } = line.dataset;
  const quiz = box.classList.contains("box-quiz");
  const compare = () => {
    if (!answer.open) return;
    const picked = box.querySelector("input:checked")?.value;
    for (const label of box.querySelectorAll(".choices label")) {
      label.classList.toggle("right", label.querySelector("input").value === right);
    }
    line.querySelector(".you").textContent = !picked
      ? ""
      : quiz
        ? picked === right ? "Yes. " : "No. "
      : picked === right
        ? `You said ${picked}, and so it is. `
        : picked === folklore
          ? `You and the folklore said ${picked}. `
          : `You said ${picked}. `;
  };
  answer.addEventListener("toggle", compare);
  box.addEventListener("change", compare);
}

// A link, or a search, that leads into something folded opens it.
const unfold = (node) => {
  let opened = false;
  for (let at = node?.closest("details"); at; at = at.parentElement.closest("details")) {
    opened ||= !at.open;
    at.open = true;
  }
  if (opened) node.scrollIntoView();
};
const follow = () => {
  let name = location.hash.slice(1);
  try {
    name = decodeURIComponent(name);
  } catch {} // a lone % is a name, too
  if (name) unfold(document.getElementById(name));
};
addEventListener("hashchange", follow);
// The theme looks again, when the window changes, at what scrolls and needs the keyboard: now also
// when a fold opens, and when a section comes near that was not laid out before.
for (const change of ["toggle", "contentvisibilityautostatechange"]) {
  addEventListener(change, ({ skipped }) => skipped || dispatchEvent(new Event("resize")), true);
}
addEventListener("load", () => {
  follow();
  const article = document.querySelector("article");
  if (!article) return;
  article.querySelectorAll(".highlighted").forEach((found) => unfold(found));
  // Sphinx marks what was searched for a moment after the page is there: before this or after it.
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes) if (node.classList?.contains("highlighted")) unfold(node);
  }).observe(article, { childList: true, subtree: true });
});
