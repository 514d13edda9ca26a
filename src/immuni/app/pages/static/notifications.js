// Shows what the App has to tell, as long as one of its pages is open, where the user allowed it.
"use strict";
(() => {
  const PAUSE_MS = 5000;
  const shown = new Set();

  const permission = () => {
    if (!("Notification" in window)) return "missing";
    // Browsers let no page ask that another one shows in a frame.
    const isFramed = window.top !== window && Notification.permission !== "granted";
    return isFramed ? "framed" : Notification.permission;
  };

  const tellOfPermission = () => {
    const found = permission();
    for (const part of document.querySelectorAll("[data-permission]")) {
      part.hidden = part.dataset.permission !== found;
    }
  };

  const show = ({ kind, title, text, page, stays }) => {
    const lang = document.documentElement.lang;
    const notification = new Notification(title, { body: text, lang, tag: kind, requireInteraction: stays });
    shown.add(notification);
    notification.addEventListener("click", () => {
      window.focus();
      location.assign(page);
    });
  };

  const takeBack = () => {
    for (const notification of shown) notification.close();
    shown.clear();
  };

  const look = async () => {
    if (permission() !== "granted") return;
    try {
      const answer = await fetch("/notifications/untold", { method: "POST" });
      if (!answer.ok) return;
      const { stands, untold } = await answer.json();
      if (!stands) takeBack();
      untold.forEach(show);
    } catch {
      // The App does not run at the moment, or the page is being left.
    }
  };

  for (const form of document.querySelectorAll("form[data-asks]")) {
    const leadsOn = form.method === "post";
    let wasAsked = false;
    form.addEventListener("submit", async (event) => {
      // Whoever does not answer the browser can press once more, and go on.
      if (leadsOn && (wasAsked || permission() !== "default")) return;
      event.preventDefault();
      wasAsked = true;
      await Notification.requestPermission().catch(() => {});
      tellOfPermission();
      if (leadsOn) form.submit();
    });
  }
  // A click on what stays behind would lead nowhere: only the page that showed it can hear it.
  window.addEventListener("pagehide", takeBack);
  tellOfPermission();
  setInterval(look, PAUSE_MS);
  look();
})();
