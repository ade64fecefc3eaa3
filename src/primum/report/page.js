(function () {
  "use strict";
  var options = { displaylogo: false, displayModeBar: false, responsive: true, showSendToCloud: false };
  var plots = Array.prototype.slice.call(document.querySelectorAll(".plot"));
  function draw(box) {
    if (box.dataset.drawn || !window.Plotly) { return; }
    box.dataset.drawn = "yes";
    var figure = JSON.parse(document.getElementById(box.id + "-spec").textContent);
    window.Plotly.newPlot(box, figure.data, figure.layout, options);
    if (window.ResizeObserver) {
      new ResizeObserver(function () {
        if (box.clientWidth) { window.Plotly.Plots.resize(box); }
      }).observe(box);
    }
  }
  function closed(box) { return box.closest("details:not([open])"); }
  plots.forEach(function (box) { if (!closed(box)) { draw(box); } });
  document.querySelectorAll("details").forEach(function (part) {
    part.addEventListener("toggle", function () {
      if (part.open) { part.querySelectorAll(".plot").forEach(draw); }
    });
  });
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (part) { part.open = true; });
    plots.forEach(draw);
  });
})();
