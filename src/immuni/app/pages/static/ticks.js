// Keeps what was ticked while what it is about is read: whoever comes back would find it gone.
"use strict";
(() => {
  const key = `ticks:${location.pathname}`;
  const boxes = [...document.querySelectorAll("input[type=checkbox]")];
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "[]");
  for (const box of boxes) box.checked ||= kept.includes(box.name);
  addEventListener("change", () => {
    const ticked = boxes.filter((box) => box.checked).map((box) => box.name);
    sessionStorage.setItem(key, JSON.stringify(ticked));
  });
})();
