"use strict";
// Walks through the steps: arrow keys, buttons, a click on a step or on its box in the map. The page says the same without it.
(() => {
  const steps = [...document.querySelectorAll(".step")];
  if (!steps.length) return;
  const frame = document.querySelector(".map-frame");
  const position = document.getElementById("position");
  const previous = document.getElementById("previous");
  const next = document.getElementById("next");
  let current = 0;

  function select(index, { scroll = true } = {}) {
    current = Math.max(0, Math.min(index, steps.length - 1));
    steps.forEach((step, place) => {
      const chosen = place === current;
      if (chosen) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
      step.querySelector("h3").setAttribute("aria-expanded", String(chosen));
    });
    for (const box of document.querySelectorAll(".box.selected")) box.classList.remove("selected");
    const box = document.getElementById(steps[current].dataset.box);
    if (box) {
      box.classList.add("selected");
      const [at, seen] = [box.getBoundingClientRect(), frame.getBoundingClientRect()];
      frame.scrollLeft += at.left + at.width / 2 - seen.left - seen.width / 2;
    }
    position.textContent = `step ${current + 1} of ${steps.length}`;
    previous.disabled = current === 0;
    next.disabled = current === steps.length - 1;
    if (scroll) steps[current].scrollIntoView({ block: "nearest" });
  }

  function fromAddress(options) {
    const wanted = steps.findIndex((step) => `#${step.id}` === location.hash);
    if (wanted >= 0) select(wanted, options);
    return wanted >= 0;
  }

  document.documentElement.classList.add("scripted");
  document.querySelector(".controls").hidden = false;
  previous.addEventListener("click", () => select(current - 1));
  next.addEventListener("click", () => select(current + 1));
  steps.forEach((step, place) => {
    const head = step.querySelector("h3");
    head.tabIndex = 0;
    head.setAttribute("role", "button");
    head.addEventListener("click", () => select(place));
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        select(place);
      }
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const moves = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: steps.length - 1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    select(moves[event.key]);
  });
  window.addEventListener("hashchange", () => fromAddress());
  if (!fromAddress()) select(Math.max(0, steps.findIndex((step) => step.classList.contains("decides"))), { scroll: false });
})();
