(() => {
  const get = (id) => document.getElementById(id);
  const form = get("filter");
  const text = get("text");
  const menus = ["status", "operation", "format"].map(get);
  const list = get("list");
  const entry = (node) => ({ node, text: node.textContent.toLowerCase(), ...node.dataset });
  const kinds = [...document.querySelectorAll("details[data-status]")].map(entry);
  const titles = new Map(kinds.map(({ node }) => [node.id, node.querySelector("strong").textContent.toLowerCase()]));
  const rows = [...document.querySelectorAll("tr[data-status]")].map(entry);
  for (const row of rows) if (row.kind) row.text += ` ${titles.get(row.kind)}`;

  const show = (entries, fits) => entries.filter((entry) => {
    const shown = fits(entry);
    if (entry.node.hidden === shown) entry.node.hidden = !shown;
    return shown;
  });

  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/);
    const wanted = menus.filter((menu) => menu.value);
    const fits = (entry) => wanted.every((menu) => entry[menu.id].split(" ").includes(menu.value))
      && words.every((word) => entry.text.includes(word));
    const listed = show(rows, fits);
    const within = new Set(listed.map((row) => row.kind)); // a kind is shown for any of its failures
    const told = show(kinds, (kind) => fits(kind) || within.has(kind.node.id));
    get("shown").textContent = (kinds.length ? `${told.length} of ${kinds.length} kinds of failures, ` : "")
      + `${listed.length} of ${rows.length} operations`;
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
