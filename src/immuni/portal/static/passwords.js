// A button beside each password that shows what was typed.

function watch(button) {
  const input = document.getElementById(button.dataset.shows);
  const words = [button.textContent, button.dataset.shown];

  function show(shown) {
    input.type = shown ? "text" : "password";
    button.textContent = words[Number(shown)];
    button.setAttribute("aria-pressed", shown);
  }

  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // Browsers offer to remember what a field held that was no password when it was sent.
  input.form.addEventListener("submit", () => show(false));
}

document.querySelectorAll("[data-shows]").forEach(watch);
