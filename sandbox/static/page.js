// Keeps the page fresh: every two seconds the same page is asked for again, and what is marked
// with data-live is taken from it. What the reader is using at that moment is left alone.

const EVERY = 2000;
const PLACES = ["campaigns", "lists", "templates", "usage"];

const wasSent = (card) => Boolean(card.querySelector("details"));

function freshen(old, fresh) {
  const oldLive = old.querySelectorAll("[data-live]");
  const freshLive = fresh.querySelectorAll("[data-live]");
  // A draft that was sent has another form: such a card is taken whole.
  if (oldLive.length !== freshLive.length || wasSent(old) !== wasSent(fresh)) {
    old.replaceWith(fresh);
    return;
  }
  oldLive.forEach((piece, index) => {
    const now = freshLive[index].innerHTML;
    if (piece.contains(document.activeElement) || piece.innerHTML === now) return;
    const chosen = piece.value;
    piece.innerHTML = now;
    if (piece.tagName === "SELECT") piece.value = chosen;
  });
}

function freshenCampaigns(old, fresh) {
  // Cards that are new come in their place, those of deleted campaigns go.
  const wanted = [...fresh.children];
  for (const card of [...old.children]) {
    if (!wanted.some((one) => one.id === card.id)) card.remove();
  }
  wanted.forEach((card, index) => {
    const there = card.id && old.querySelector("#" + card.id);
    if (there) freshen(there, card);
    else if (card.id || !old.children.length) old.insertBefore(card, old.children[index] || null);
  });
}

async function refresh() {
  try {
    if (!document.hidden) {
      const here = location.pathname === "/" ? location.href : "/";
      const answer = await fetch(here, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of PLACES) {
        const fresh = page.getElementById(id);
        if (!fresh) continue;
        (id === "campaigns" ? freshenCampaigns : freshen)(document.getElementById(id), fresh);
      }
    }
  } catch {
    // The sandbox was stopped: the figures stay, and it may come back.
  }
  setTimeout(refresh, EVERY);
}

setTimeout(refresh, EVERY);

// Choosing a user is enough; the button beside it is for those without JavaScript.
document.querySelectorAll(".account").forEach((form) => {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => form.submit());
});
