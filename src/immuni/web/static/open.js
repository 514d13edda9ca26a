// Hand the secret of the link in, and take it out of the address bar. Without a secret the form
// stays, so that it can be typed.
"use strict";
const secret = location.hash.slice(1);
if (secret) {
  const form = document.querySelector("form");
  history.replaceState(null, "", location.pathname);
  form.elements.secret.value = secret;
  form.submit();
}
