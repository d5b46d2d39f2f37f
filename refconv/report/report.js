(() => {
  const get = (id) => document.getElementById(id);
  const form = get("filter");
  const text = get("text");
  const menus = ["status", "operation", "format"].map(get);
  const list = get("list");
  const entries = [...document.querySelectorAll("[data-status]")].map((node) => ({
    node, row: node.tagName === "TR", text: node.textContent.toLowerCase(), ...node.dataset,
  }));
  const total = (row) => entries.filter((entry) => entry.row === row).length;
  const totals = { true: total(true), false: total(false) };

  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/);
    const wanted = menus.filter((menu) => menu.value);
    const shown = { true: 0, false: 0 };
    for (const entry of entries) {
      const fits = wanted.every((menu) => entry[menu.id].split(" ").includes(menu.value))
        && words.every((word) => entry.text.includes(word));
      if (entry.node.hidden === fits) entry.node.hidden = !fits;
      shown[entry.row] += fits;
    }
    get("shown").textContent = (totals.false ? `${shown.false} of ${totals.false} kinds of failures, ` : "")
      + `${shown.true} of ${totals.true} operations`;
    if (wanted.length || text.value) list.open = true;
  };

  const reveal = () => {
    const target = location.hash && get(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") {
      target.hidden = false;
      target.open = true;
      target.querySelector("summary").focus();
    }
  };

  const copy = (button) => {
    const code = button.previousElementSibling;
    getSelection().selectAllChildren(code);
    const done = navigator.clipboard ? navigator.clipboard.writeText(code.textContent) : Promise.reject();
    done.then(() => { button.textContent = "Copied"; }, () => { button.textContent = "Selected"; });
  };

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.querySelectorAll(".copy").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  });
  addEventListener("hashchange", reveal);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      text.focus();
    }
  });
  addEventListener("beforeprint", () => document.querySelectorAll("details.failure").forEach((node) => { node.open = true; }));
  filter();
  reveal();
})();
