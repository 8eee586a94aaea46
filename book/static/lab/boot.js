// Puts a piece of the lab where the page has a place for it, when the reader comes near.
// Without JavaScript, and where something fails, the place keeps its picture and its sentence.
"use strict";
globalThis.ActLab = globalThis.ActLab || {};

(() => {
  ActLab.base = new URL(".", document.currentScript.src).href;
  const NEEDS = {
    lab: ["kernels", "catalog", "draw", "core", "digits", "worker", "lab"],
    explore: ["kernels", "catalog", "draw", "theory", "explore"],
    signals: ["kernels", "catalog", "draw", "theory", "core", "signals"],
  };
  const loading = {};
  const script = (name) => (loading[name] ??= new Promise((done, failed) => {
    const node = document.createElement("script");
    node.async = false; // in the order in which they were asked for
    node.src = `${ActLab.base}${name}.js`;
    node.onload = done;
    node.onerror = () => failed(new Error(`${name}.js could not be loaded`));
    document.head.append(node);
  }));

  async function mount(host) {
    try {
      await Promise.all(NEEDS[host.dataset.actlab].map(script));
      await ActLab.mount[host.dataset.actlab](host);
      host.setAttribute("data-live", "");
    } catch (error) {
      host.removeAttribute("data-live");
      const said = document.createElement("p");
      said.textContent = `This piece does not run in this browser (${error.message}).`;
      host.append(said);
    }
  }

  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) {
      near.unobserve(target);
      mount(target);
    }
  }, { rootMargin: "400px" });
  addEventListener("DOMContentLoaded", start);
  if (document.readyState !== "loading") start();
  function start() {
    for (const host of document.querySelectorAll("[data-actlab]:not([data-seen])")) {
      host.setAttribute("data-seen", "");
      near.observe(host);
    }
  }
})();
