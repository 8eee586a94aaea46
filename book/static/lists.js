// Long lists: search, filters and sorting over what the page holds already, and links into its folds.
// Without JavaScript the list is whole; only the controls are not shown.
"use strict";

for (const form of document.querySelectorAll("form[data-filters]")) {
  const list = document.getElementById(form.dataset.filters);
  const items = [...list.querySelectorAll("[data-item]")];
  const groups = [...list.querySelectorAll("details[data-group]")];
  const wide = matchMedia("(min-width: 701px)");
  const said = form.querySelector("[role=status]");
  const fields = [...form.elements].filter((field) => field.name);
  const texts = new Map();
  const text = (item) => {
    if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
    return texts.get(item);
  };
  const value = (field) => (field.type === "checkbox" ? field.checked && field.value : field.value.trim());

  function fits(item, field) {
    const wanted = value(field), has = item.dataset[field.name] ?? "";
    if (!wanted) return true;
    if (field.type === "search") {
      return wanted.toLowerCase().split(/\s+/).every((word) => text(item).includes(word));
    }
    return field.type === "checkbox" ? Boolean(has) : has.split(" ").includes(wanted);
  }

  function filter() {
    const asked = fields.filter(value);
    let shown = 0;
    for (const item of items) {
      item.hidden = !asked.every((field) => fits(item, field));
      shown += !item.hidden;
    }
    for (const group of groups) {
      group.hidden = !group.querySelector("[data-item]:not([hidden])");
      group.open = wide.matches || asked.length > 0;
    }
    list.classList.toggle("picked", asked.length > 0);
    const all = `${items.length} ${said.dataset.of}`;
    said.textContent = !asked.length
      ? all
      : shown
        ? `${shown} of ${all}`
        : `None of the ${all} fits: clear the search or a filter.`;
  }

  // What is asked for stands in the address, so that it can be sent to somebody.
  function write() {
    const asked = new URLSearchParams(fields.filter(value).map((field) => [field.name, value(field)]));
    const query = String(asked);
    history.replaceState(null, "", `${location.pathname}${query && `?${query}`}${location.hash}`);
  }
  function read() {
    for (const [name, wanted] of new URLSearchParams(location.search)) {
      const field = fields.find((one) => one.name === name);
      if (!field) continue;
      if (field.type === "checkbox") field.checked = wanted === field.value;
      else field.value = wanted;
      if (field.value === "") field.selectedIndex = 0; // a value that the menu does not have
    }
    filter();
  }
  form.addEventListener("input", () => {
    filter();
    write();
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  for (const head of list.querySelectorAll("th[data-key]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    const { key } = head.dataset;
    const of = (item) => (key === "text" ? item.querySelector("th").textContent : item.dataset[key]);
    button.addEventListener("click", () => {
      const up = head.ariaSort !== "ascending";
      for (const other of list.querySelectorAll("th[data-key]")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      items.sort((a, b) => of(a).localeCompare(of(b), "en", { numeric: true }) * (up ? 1 : -1));
      items[0].parentElement.append(...items);
    });
  }

  function follow() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const item = target?.closest("[data-item]");
    if (!item || !list.contains(item)) return;
    if (item.hidden) {
      form.reset();
      filter();
    }
    if (item.matches("details")) item.open = true;
    else return location.replace(item.querySelector("th a").href); // the whole entry has a page
    const group = item.closest("details[data-group]");
    if (group) group.open = true;
    item.scrollIntoView();
  }
  addEventListener("hashchange", follow);
  read();
  follow();
}
