// Copies the text of the element that a button names, and says so where the button says.
for (const button of document.querySelectorAll("[data-copies]")) {
  const source = document.getElementById(button.dataset.copies);
  const answer = document.getElementById(button.dataset.answers);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      answer.textContent = button.dataset.done;
    } catch {
      // Where the browser does not let us, the text is marked, so that one press of keys copies it.
      getSelection().selectAllChildren(source);
      answer.textContent = button.dataset.failed;
    }
  });
}
