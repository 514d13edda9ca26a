// A button that copies what stands in another element, where the browser lets it; without it the
// text is selected by hand.

function watch(button) {
  const text = document.getElementById(button.dataset.copies).textContent.trim();
  const place = button.parentElement.querySelector("[data-copied]");

  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    place.textContent = place.dataset.copied;
  });
}

if (navigator.clipboard) document.querySelectorAll("[data-copies]").forEach(watch);
