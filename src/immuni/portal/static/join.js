// The secret of an invitation: out of the address and into the form.
const token = location.hash.slice(1);
if (token) {
  history.replaceState(null, "", location.pathname);
  document.querySelector("#token").value = token;
  document.querySelector("#join").requestSubmit();
}
