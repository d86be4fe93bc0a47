/* A form is sent once: its buttons rest while the answer is made, and say so where it takes long. */

for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", (event) => {
    if (form.classList.contains("is-sent")) {
      event.preventDefault();
      return;
    }
    form.classList.add("is-sent");
    const words = document.createElement("span");
    words.setAttribute("role", "status");
    words.className = "busy";
    words.textContent = form.dataset.busy;
    (event.submitter ?? form.querySelector("button")).after(words);
  });
}
// Back in history, the same page comes from memory as it was left.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form.is-sent")) {
    form.classList.remove("is-sent");
    form.querySelector(".busy")?.remove();
  }
});
