// Writes what is on the screen now as one HTML file that needs nothing else, and fetches nothing else.
// It is built as a document and never as text, so that names stay text; its scripts run by a nonce alone.
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
      .replace(/[<\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);

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

  const whole = (page, scripts, evaluating) => {
    const saved = document.implementation.createHTMLDocument(document.title);
    const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const element = (kind, attributes, text) => {
      const made = saved.createElement(kind);
      Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
      made.textContent = text || "";
      return made;
    };
    const policy =
      "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data: blob:; style-src 'unsafe-inline'; " +
      `worker-src blob:; script-src 'nonce-${nonce}'${evaluating ? " 'unsafe-eval'" : ""}`;
    saved.documentElement.lang = "en";
    saved.head.prepend(
      element("meta", { charset: "utf-8" }),
      element("meta", { "http-equiv": "Content-Security-Policy", content: policy }),
      element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" })
    );
    saved.head.append(element("style", {}, styles()));
    saved.body.className = "saved";
    const footer = saved.createElement("footer");
    footer.append(
      element("p", {}, "Saved from primum explore. It describes one set of cases; it is no clearance for clinical use.")
    );
    saved.body.append(...page.childNodes, footer, ...scripts.map((text) => element("script", { nonce }, text)));
    return `<!DOCTYPE html>\n${saved.documentElement.outerHTML}`;
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
    const settings = '{responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: ""}';
    const library = figures.length ? await plotly() : "";
    const draw = figures.map(
      (one, at) => `Plotly.newPlot("figure-${at}", ${plain(one.data)}, ${plain(one.layout)}, ${settings});`
    );
    const flat = figures.some((one) => one.data.some((trace) => /gl$/.test(trace.type)));  // these compile what they draw
    const written = whole(page, library ? [library, draw.join("\n")] : [], flat);
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
