// One choice of light or dark for the cockpit and the chat, whichever page changed it last.
// Runs before Chainlit's own script, which keeps its choice under another name.
(function () {
  var ours = "smart-reach-theme";
  var theirs = "vite-ui-theme";
  var chosen = localStorage.getItem(ours);
  localStorage.setItem(theirs, chosen === "light" || chosen === "dark" ? chosen : "system");
  window.addEventListener("pagehide", function () {
    var now = localStorage.getItem(theirs);
    if (now === "light" || now === "dark") localStorage.setItem(ours, now);
    else localStorage.removeItem(ours);
  });
})();
