// Comfort on top of pages that work without it: the code is read while it is typed, clocks run,
// a button cannot be pressed twice.

import { findCode, grouped, normalise, verdict } from "./code.js";

const BAD = ["character", "long", "check_digit", "practice", "real"];

/** Read the code while it is typed, and keep it in its groups; once it is whole, go on to the days. */
function watchCode(input, days) {
  const place = document.getElementById("code-verdict");
  const count = document.getElementById("code-count");
  const practice = "practice" in input.dataset;
  const judged = () => verdict(code, practice);
  let code = normalise(input.value);

  /** What is wrong is told by a template; of its pairs of look-alikes those that were typed stay. */
  function explanation(kind) {
    const words = document.getElementById(`code-${kind}`)?.content.cloneNode(true);
    words?.querySelectorAll("[data-pair]").forEach((pair) => {
      if (![...pair.dataset.pair].some((character) => code.includes(character))) pair.remove();
    });
    words?.querySelectorAll(".confused:not(:has([data-pair]))").forEach((place) => place.remove());
    return words;
  }

  function say({ kind, detail = "" }) {
    // The count stands apart: a screen reader need not say it at every key.
    count.textContent = kind === "more" ? input.dataset.more.replace("{}", detail) : "";
    const words = explanation(kind);
    if (words) place.replaceChildren(words);
    else place.textContent = kind === "more" ? "" : (input.dataset[kind] ?? "").replace("{}", detail);
    place.classList.toggle("bad", BAD.includes(kind));
    place.classList.toggle("good", kind === "good");
    input.classList.toggle("good", kind === "good");
    input.setAttribute("aria-invalid", BAD.includes(kind));
  }

  function show(position) {
    input.value = grouped(code);
    let caret = 0;
    for (let seen = 0; seen < position; caret += 1) if (input.value[caret] !== " ") seen += 1;
    // After the last character of a group the next one belongs behind the space.
    if (input.value[caret] === " ") caret += 1;
    input.setSelectionRange(caret, caret);
  }

  input.addEventListener("input", (event) => {
    if (event.isComposing) return;
    const isPasted = event.inputType === "insertFromPaste" || event.inputType === "insertFromDrop";
    let typed = isPasted ? findCode(input.value) : normalise(input.value);
    let position = normalise(input.value.slice(0, input.selectionStart)).length;
    if (typed === code) {
      // Only a space was deleted, which we put there: the character beside it is meant.
      if (event.inputType === "deleteContentBackward" && position > 0) position -= 1;
      if (event.inputType?.startsWith("deleteContent")) {
        typed = typed.slice(0, position) + typed.slice(position + 1);
      }
    }
    code = typed;
    show(isPasted ? code.length : position);
    say(judged());
    // Whoever goes on typing means the day: an eleventh character would only spoil the code.
    if (event.inputType?.startsWith("insert") && judged().kind === "good") {
      (days.querySelector(":checked") ?? days.querySelector("input")).focus();
    }
  });
  if (code) {
    input.value = grouped(code);
    if (!place.textContent.trim()) say(judged());
  }
  return () => !BAD.includes(judged().kind);
}

/** Choose a day with the digit that stands on it, wherever in the form no text is typed. */
function watchDays(form) {
  const groups = [...form.querySelectorAll(".days")];
  const isText = (element) => element.matches("input:not([type=radio])");
  // The day of the test is asked below, and only of those without symptoms.
  const lastShown = () => groups.filter((each) => each.offsetParent).at(-1);

  form.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isText(event.target)) return;
    const days = event.target.closest(".days") ?? lastShown();
    const choice = days.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    // A key that is held down since the code is none that was meant for a day.
    if (!choice || event.repeat) return;
    event.preventDefault();
    choice.focus();
    choice.click();
    if (choice.value === "other") form.elements[`${choice.name}_date`].focus();
    if (choice.value === "none") groups.at(-1).querySelector("input").focus();
  });
}

/** Send the form once, and not while the code is known to be wrong. */
function watchForm(form, codeMayBeRight) {
  const button = form.querySelector("button[type=submit]");
  const label = [...button.childNodes];

  form.addEventListener("submit", (event) => {
    const busy = button.getAttribute("aria-disabled") === "true";
    if (busy || !codeMayBeRight()) {
      event.preventDefault();
      if (!busy) form.elements.code.focus();
      return;
    }
    button.setAttribute("aria-disabled", "true");
    button.textContent = form.dataset.busy;
  });
  // Coming back with the browser's own button shows the page as it was left.
  window.addEventListener("pageshow", () => {
    button.removeAttribute("aria-disabled");
    button.replaceChildren(...label);
  });
}

function asClock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Let the clock of a code's life run, and say it aloud at a few moments only. */
function countDown(place) {
  const end = Date.now() + Number(place.dataset.countdown) * 1000;
  const total = Number(place.dataset.total ?? 0);
  const clock = place.querySelector("[data-clock]");
  const ring = place.querySelector("[data-ring]");
  const announcer = place.querySelector("[data-announce]");
  let shown = -1;

  function tick() {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    if (left !== shown) {
      shown = left;
      clock.textContent = asClock(left);
      ring?.setAttribute("stroke-dashoffset", String(100 - (100 * left) / total));
      if (left <= 30) place.dataset.state = left ? "soon" : "over";
      if (announcer && [60, 30, 10].includes(left)) {
        announcer.textContent = announcer.dataset.left.replace("{}", asClock(left));
      }
    }
    if (left > 0) return;
    clearInterval(timer);
    if (place.dataset.over === "remove") place.remove();
    else if (announcer) announcer.textContent = announcer.dataset.done;
  }

  const timer = setInterval(tick, 250);
  tick();
}

/** Let the phone of an exercise show one screen after the other. */
function play(phone) {
  const screens = [...phone.children];
  const show = (index) => screens.forEach((screen, each) => (screen.hidden = each !== index));
  screens.forEach((screen, index) => {
    screen.querySelector("button")?.addEventListener("click", () => {
      show(index + 1);
      (screens[index + 1].querySelector("button") ?? phone).focus();
    });
  });
  phone.tabIndex = -1;
  show(0);
}

const code = document.getElementById("code");
// While authorising is stopped, nothing can be typed.
if (code && !code.matches(":disabled")) {
  const form = document.getElementById("authorise");
  watchForm(form, watchCode(code, form.querySelector(".days")));
  watchDays(form);
}
document.querySelectorAll(".phone").forEach(play);
document.querySelectorAll("[data-countdown]").forEach(countDown);
// What went wrong stands above the form; a focus further down may have put it out of sight.
addEventListener("load", () =>
  requestAnimationFrame(() =>
    document.querySelector("[role=alert]")?.scrollIntoView({ block: "nearest" }),
  ),
);
