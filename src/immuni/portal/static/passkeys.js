// Passkeys: asks the browser what the page's form holds, and sends its answer with the form.

const STALE_MILLISECONDS = 9 * 60 * 1000;

function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function textOf(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function withIds(descriptors = []) {
  return descriptors.map((each) => ({ ...each, id: bytesOf(each.id) }));
}

/** The options as the browser wants them: bytes where JSON has text. */
function decoded(options) {
  const result = { ...options, challenge: bytesOf(options.challenge) };
  if (options.user) result.user = { ...options.user, id: bytesOf(options.user.id) };
  if (options.allowCredentials) result.allowCredentials = withIds(options.allowCredentials);
  if (options.excludeCredentials) result.excludeCredentials = withIds(options.excludeCredentials);
  return result;
}

/** The answer as the server reads it: text where the browser has bytes. */
function encoded({ id, rawId, type, response }) {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const held = parts.filter((part) => response[part]).map((part) => [part, textOf(response[part])]);
  return JSON.stringify({ id, rawId: textOf(rawId), type, response: Object.fromEntries(held) });
}

/** Before the form is sent the browser is asked; what it answers goes with it. */
function watch(form) {
  const opened = Date.now();
  const verdict = form.querySelector("[data-failed]");
  form.hidden = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (Date.now() - opened > STALE_MILLISECONDS) {
      // The page's challenge would be refused.
      location.reload();
      return;
    }
    verdict.textContent = "";
    try {
      const publicKey = decoded(JSON.parse(form.dataset.options));
      const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
      form.elements.credential.value = encoded(credential);
      form.submit();
    } catch (error) {
      const known = error.name === "InvalidStateError";
      verdict.textContent = known ? verdict.dataset.known : verdict.dataset.failed;
    }
  });
}

if (window.PublicKeyCredential) document.querySelectorAll("[data-passkey]").forEach(watch);
