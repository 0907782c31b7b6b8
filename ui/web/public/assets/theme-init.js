// Runs before the first paint so that the page never flashes in the wrong theme.
(function () {
  var stored = null;
  try { stored = localStorage.getItem("smart-reach-theme"); } catch (e) { stored = null; }
  var dark = stored ? stored === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
