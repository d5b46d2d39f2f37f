(() => {
  const form = document.getElementById("filter");
  const text = document.getElementById("text");
  const status = document.getElementById("status");
  const entries = [...document.querySelectorAll("[data-status]")].map((node) => ({
    node, list: node.tagName === "TR", status: node.dataset.status, text: node.textContent.toLowerCase(),
  }));
  const total = (list) => entries.filter((entry) => entry.list === list).length;

  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/);
    const shown = { true: 0, false: 0 };
    for (const entry of entries) {
      const fits = (!status.value || entry.status === status.value) && words.every((word) => entry.text.includes(word));
      entry.node.hidden = !fits;
      shown[entry.list] += fits;
    }
    document.getElementById("shown").textContent =
      `${shown.false} of ${total(false)} kinds of failures, ${shown.true} of ${total(true)} operations`;
  };

  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") {
      target.hidden = false;
      target.open = true;
    }
  };

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", () => document.querySelectorAll("details.failure").forEach((node) => { node.open = true; }));
  filter();
  reveal();
})();
