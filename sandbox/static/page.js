// Updates the elements with data-live from a new copy of the page. Elements in use are left alone.

const INTERVAL = 2000;
const SECTIONS = ["campaigns", "lists", "templates", "usage"];

const wasSent = (card) => Boolean(card.querySelector("details"));

function update(oldSection, newSection) {
  const oldLive = oldSection.querySelectorAll("[data-live]");
  const newLive = newSection.querySelectorAll("[data-live]");
  // A campaign that has been sent has another form.
  if (oldLive.length !== newLive.length || wasSent(oldSection) !== wasSent(newSection)) {
    oldSection.replaceWith(newSection);
    return;
  }
  oldLive.forEach((element, index) => {
    const html = newLive[index].innerHTML;
    if (element.contains(document.activeElement) || element.innerHTML === html) return;
    const selected = element.value;
    element.innerHTML = html;
    if (element.tagName === "SELECT") element.value = selected;
  });
}

function updateCampaigns(oldSection, newSection) {
  const newCards = [...newSection.children];
  for (const card of [...oldSection.children]) {
    if (!newCards.some((newCard) => newCard.id === card.id)) card.remove();
  }
  newCards.forEach((card, index) => {
    const existing = card.id && oldSection.querySelector("#" + card.id);
    if (existing) update(existing, card);
    else if (card.id || !oldSection.children.length) {
      oldSection.insertBefore(card, oldSection.children[index] || null);
    }
  });
}

async function refresh() {
  try {
    if (!document.hidden) {
      const url = location.pathname === "/" ? location.href : "/";
      const response = await fetch(url, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      for (const id of SECTIONS) {
        const section = page.getElementById(id);
        if (!section) continue;
        (id === "campaigns" ? updateCampaigns : update)(document.getElementById(id), section);
      }
    }
  } catch {
    // The sandbox may be started again.
  }
  setTimeout(refresh, INTERVAL);
}

setTimeout(refresh, INTERVAL);

// Without JavaScript, the button submits the form.
document.querySelectorAll(".account").forEach((form) => {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => form.submit());
});
