// Writes what is on the screen now as one HTML file that needs nothing else, and fetches nothing else.
(function () {
  const asUri = async (address) => {
    const answer = await fetch(address);
    if (!(answer.headers.get("Content-Type") || "").startsWith("image/")) return null;
    const blob = await answer.blob();
    return new Promise((done) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result);
      reader.readAsDataURL(blob);
    });
  };

  const plain = (value) =>
    JSON.stringify(value, (_, part) => (ArrayBuffer.isView(part) ? Array.from(part) : part))
      .replace(/</g, "\\u003c");

  const styles = () =>
    Array.from(document.styleSheets)
      .flatMap((sheet) => Array.from(sheet.cssRules))
      .map((rule) => rule.cssText)
      .join("\n")
      .replace(/<\//g, "<\\/");

  const plotly = async () => {
    const script = Array.from(document.scripts).find((one) => /plotly(\.min)?[.\w]*\.js/.test(one.src));
    return script ? (await fetch(script.src)).text() : "";
  };

  const save = async (name) => {
    const panel = document.querySelector(".panel:not([hidden])");
    const page = document.createElement("div");
    const heading = document.createElement("h2");
    heading.textContent = document.querySelector(".tabs label:has(input:checked)").textContent;
    page.append(document.querySelector(".mast").cloneNode(true), heading, panel.cloneNode(true));
    const drawn = Array.from(panel.querySelectorAll(".js-plotly-plot"));
    const figures = drawn.map((graph) => ({ data: graph.data, layout: graph.layout, height: graph.clientHeight }));
    page.querySelectorAll(".js-plotly-plot").forEach((graph, at) => {
      const place = document.createElement("div");
      place.id = `figure-${at}`;
      place.style.height = `${figures[at].height}px`;
      graph.replaceWith(place);
    });
    page.querySelectorAll(".live, script, [hidden]").forEach((part) => part.remove());
    page.querySelectorAll("button.card").forEach((card) => {
      const still = document.createElement("div");
      still.className = "card";
      still.append(...card.childNodes);
      card.replaceWith(still);
    });
    for (const image of page.querySelectorAll("img:not([src^='data:'])")) {
      const uri = await asUri(image.getAttribute("src"));
      if (uri) image.setAttribute("src", uri);
    }
    page.querySelectorAll("a[href]").forEach((link) => link.replaceWith(...link.childNodes));
    const library = figures.length ? await plotly() : "";
    const draw = figures.map(
      (one, at) => `Plotly.newPlot("figure-${at}", ${plain(one.data)}, ${plain(one.layout)}, {responsive: true, displaylogo: false});`
    );
    const close = "</" + "script>";
    const written = [
      "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>",
      "<meta name='viewport' content='width=device-width, initial-scale=1'>",
      "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; img-src data: blob:; ",
      "style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; worker-src blob:\">",
      `<title>${document.title}</title><style>${styles()}</style></head><body class="saved">`,
      page.innerHTML,
      "<footer><p>Saved from primum explore. It describes one set of cases; it is no clearance for clinical use.</p></footer>",
      library ? `<script>${library}${close}<script>${draw.join("\n")}${close}` : "",
      "</body></html>",
    ].join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([written], { type: "text/html" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    explorer: {
      save: (clicks, tab) => {
        if (window.dash_clientside.callback_context.triggered.some((one) => one.value)) save(`primum-${tab}.html`);
        return window.dash_clientside.no_update;
      },
    },
  });
})();
