// All that a script does here; every page works without it.
"use strict";

// An error summary is read first.
document.getElementById("summary")?.focus();

// Progress comes by itself, and the page goes on when the work is done.
const progress = document.getElementById("progress");
if (progress) {
  const bar = progress.querySelector("progress");
  const text = document.getElementById("progress-text");
  const events = new EventSource(progress.dataset.events);
  events.onmessage = (event) => {
    const now = JSON.parse(event.data);
    if (text.textContent !== now.text) text.textContent = now.text;
    if (now.total) {
      bar.max = now.total;
      bar.value = now.done;
    } else {
      bar.removeAttribute("value");
    }
  };
  const reload = () => (events.close(), location.reload());
  events.addEventListener("end", reload);
  addEventListener("beforeunload", () => events.close()); // who leaves does not come back here
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) reload(); // it was refused: the page says why
  };
}

// A sheet that hovers over the drop zone is welcome.
for (const zone of document.querySelectorAll(".drop")) {
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, () => zone.classList.add("over"));
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
}

// A sheet that is too large is not sent for minutes, only to be refused.
const sheet = document.getElementById("sheet");
sheet?.addEventListener("change", () => {
  const isTooLarge = [...sheet.files].some((file) => file.size > Number(sheet.dataset.most));
  sheet.setCustomValidity(isTooLarge ? sheet.dataset.tooLarge : "");
  sheet.reportValidity();
});

// Nothing is sent twice by a double click; what is downloaded can be once more, and so can what did not get through.
const forms = document.querySelectorAll("form[method=post]:not(.download)");
for (const form of forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 10000);
  });
}
addEventListener("pageshow", () => forms.forEach((form) => delete form.dataset.sent)); // who comes back to this page
