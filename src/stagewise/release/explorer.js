"use strict";
// The recursion of aligned modes and the pictures of the page; plain script, inlined, nothing loaded.

const explorer = (() => {
  const DEEPEST = { 1: 16, 2: 16, 3: 8, 4: 4 }; // largest delta that a page steps through at once
  const COLOURS = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8", "--c9"];
  const ROW = 19; // height of a row of ticks
  const SPECTRA = {
    gaps: { sigma: [1, 0.8, 0.6, 0.4, 0.2] },
    powers: { sigma: [1, 0.5, 0.25, 0.125] },
    single: { sigma: [1] },
  };
  for (const each of Object.values(SPECTRA)) each.lam = each.sigma;

  function power(base, exponent) {
    let result = 1;
    for (let done = 0; done < exponent; done += 1) result *= base;
    return result;
  }

  // One step of a ← a + η(σ − λa^L)a^(L−1).
  function stepped(a, sigma, lam, eta, depth) {
    const below = power(a, depth - 1);
    return a + eta * (sigma - lam * below * a) * below;
  }

  // Strengths a^L at ascending iterations, from a = e^-delta.
  function course(sigma, lam, delta, eta, depth, recordAt) {
    let a = Math.exp(-delta);
    let done = 0;
    return recordAt.map((iteration) => {
      for (; done < iteration; done += 1) a = stepped(a, sigma, lam, eta, depth);
      return power(a, depth);
    });
  }

  // The iteration, between two steps, at which a mode has half of σ/λ; null if not by `last`.
  function halfway(sigma, lam, delta, eta, depth, last) {
    const half = sigma / lam / 2;
    let a = Math.exp(-delta);
    let before = power(a, depth);
    for (let iteration = 1; iteration <= last; iteration += 1) {
      a = stepped(a, sigma, lam, eta, depth);
      const now = power(a, depth);
      if (now >= half) return iteration - 1 + (half - before) / (now - before);
      before = now;
    }
    return null;
  }

  // The laws of descent and of the flow, in iterations, and the first with its next terms (docs/theory.md);
  // one layer has no stages but a half-life.
  function ticks(sigma, lam, delta, eta, depth) {
    if (depth === 1) {
      const discrete = eta * lam < 1 ? Math.LN2 / -Math.log1p(-eta * lam) : null;
      return { discrete, flow: Math.LN2 / (eta * lam), refined: null };
    }
    if (depth === 2) {
      const growth = Math.log1p(eta * sigma);
      const refined = (delta + Math.log(sigma / lam) / 2) / growth - 0.75 * Math.LN2;
      return { discrete: delta / growth, flow: delta / (eta * sigma), refined: refined > 0 ? refined : null };
    }
    const wait = Math.exp(delta * (depth - 2)) / ((depth - 2) * eta * sigma);
    return { discrete: wait, flow: null, refined: null };
  }

  // Curvature times step at the target; beyond 1 a mode overshoots, beyond 2 it cannot settle.
  function stiffness(sigma, lam, eta, depth) {
    return eta * depth * sigma * Math.pow(sigma / lam, 1 - 2 / depth);
  }

  function outcome(spectrum, eta, depth) {
    const all = spectrum.sigma.map((s, k) => stiffness(s, spectrum.lam[k], eta, depth));
    const over = all.filter((x) => x > 1 && x <= 2).length;
    const beyond = all.filter((x) => x > 2).length;
    const bound = { 1: "ηλ ≤ 1", 2: "ησ ≤ ½" }[depth] || "the step times the curvature is at most 1";
    const settle = { 1: "ηλ = 2", 2: "ησ = 1" }[depth] || "2 over the curvature at the target";
    const modes = (count) => (count === 1 ? "1 mode" : `${count} modes`);
    const words = [];
    if (beyond) words.push(`${modes(beyond)} cannot settle on the target: the step is beyond ${settle}.`);
    if (over) words.push(`${modes(over)} overshoot${over === 1 ? "s" : ""} and then settle${over === 1 ? "s" : ""} on the target.`);
    if (!words.length) words.push(`Every mode approaches its target from below (${bound}).`);
    return words.join(" ");
  }

  function lesson(spectrum, state) {
    if (state.depth === 1) return "One layer has no stages: modes move from the first step on, however small the start.";
    if (state.depth > 2) return "Three layers and more wait much longer, then jump: the waiting grows exponentially with δ, and the size of the step no longer shifts the law.";
    const x = state.step;
    const late = 100 * (x / Math.log1p(x) - 1);
    return `Every mode waits in proportion to δ, then rises. At ησ₁ = ${x} the law of descent has the strongest mode learned ${late.toFixed(0)}\u00a0% later than the law of the flow.`;
  }

  // A position in the address: #delta=8&step=0.25&depth=2&spectrum=gaps. What is not valid is left out.
  function parsed(hash, spectra) {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    const number = (name, low, high, usual) => {
      const value = given.get(name) === null ? NaN : Number(given.get(name));
      return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : usual;
    };
    const depth = Math.round(number("depth", 1, 4, 2));
    const spectrum = given.get("spectrum");
    return {
      delta: number("delta", 1, DEEPEST[depth], Math.min(8, DEEPEST[depth])),
      step: number("step", 0.02, 1.2, 0.25),
      depth,
      spectrum: Object.hasOwn(spectra, spectrum || "") ? spectrum : "gaps",
    };
  }

  function computed(spectrum, state) {
    const eta = state.step / spectrum.sigma[0];
    const laws = spectrum.sigma.map((s, k) => ticks(s, spectrum.lam[k], state.delta, eta, state.depth));
    const ends = laws.flatMap((law) => [law.discrete || 0, law.flow || 0]);
    const last = Math.ceil(1.3 * Math.max(...ends)) + 5;
    const every = Math.max(1, Math.ceil(last / 600));
    const at = Array.from({ length: Math.floor(last / every) + 1 }, (_, k) => k * every);
    const modes = spectrum.sigma.map((sigma, k) => {
      const lam = spectrum.lam[k];
      const strengths = course(sigma, lam, state.delta, eta, state.depth, at);
      return {
        share: strengths.map((each) => (each * lam) / sigma),
        halfway: halfway(sigma, lam, state.delta, eta, state.depth, last),
        ...laws[k],
      };
    });
    return { at, modes, last, eta };
  }

  // ---- drawing -------------------------------------------------------------------------------

  function element(parent, name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.appendChild(made);
    return made;
  }

  function nice(last, count) {
    const raw = last / count;
    const unit = Math.pow(10, Math.floor(Math.log10(raw)));
    return unit * [1, 2, 5, 10].find((each) => each * unit >= raw);
  }

  // Axes of a picture of shares against iterations; returns where a point lies. Rows with these names
  // follow beneath the shares.
  function axes(svg, first, last, top, rows = []) {
    const width = Math.max(240, svg.clientWidth || 900);
    const height = svg.clientHeight || 300;
    const [left, right, above, below] = [rows.length ? 90 : 44, 14, 14, 42 + ROW * rows.length];
    svg.replaceChildren(...svg.querySelectorAll(":scope > title, :scope > desc"));
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const x = (value) => left + ((value - first) / (last - first)) * (width - left - right);
    const y = (value) => above + ((top - value) / (top + 0.05)) * (height - above - below);
    for (const share of [0, 0.5, 1]) {
      element(svg, "line", { x1: left, x2: width - right, y1: y(share), y2: y(share), class: "grid" });
      element(svg, "text", { x: left - 6, y: y(share) + 4, "text-anchor": "end" }, String(share));
    }
    const gap = nice(last - first, width < 500 ? 5 : 8);
    for (let mark = Math.ceil(first / gap) * gap; mark <= last; mark += gap) {
      element(svg, "text", { x: x(mark), y: height - 22, "text-anchor": "middle" }, mark.toLocaleString("en-GB"));
    }
    element(svg, "text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, "iteration");
    const row = (k) => height - 42 - ROW * (rows.length - k - 0.5);
    rows.forEach((name, k) => element(svg, "text", { x: left - 6, y: row(k) + 4, "text-anchor": "end" }, name));
    const turn = `translate(12 ${y(0.5)}) rotate(-90)`;
    element(svg, "text", { transform: turn, "text-anchor": "middle" }, "learned share");
    return { x, y, row, left, right: width - right, top: above, bottom: height - 42 };
  }

  function line(xs, ys, place, top) {
    const points = [];
    for (let k = 0; k < xs.length && Number.isFinite(ys[k]); k += 1) {
      points.push(`${place.x(xs[k]).toFixed(1)},${place.y(Math.min(top, Math.max(-0.05, ys[k]))).toFixed(1)}`);
    }
    return points.join(" ");
  }

  function colour(k) {
    return `var(${COLOURS[k % COLOURS.length]})`;
  }

  function mark(svg, place, iteration, kind, k) {
    if (iteration === null) return;
    const at = place.x(iteration);
    element(svg, "line", { x1: at, x2: at, y1: place.y(0.57), y2: place.y(0.43), class: kind, stroke: colour(k) });
  }

  function drawExplorer(svg, spectrum, state) {
    const result = computed(spectrum, state);
    const highest = Math.max(...result.modes.flatMap((mode) => mode.share.filter(Number.isFinite)));
    const top = Math.min(1.5, Math.max(1.1, highest));
    const place = axes(svg, 0, result.last, top);
    result.modes.forEach((mode, k) => {
      const group = element(svg, "g", {
        class: "mode",
        "data-halfway": mode.halfway === null ? "" : mode.halfway,
        "data-discrete": mode.discrete === null ? "" : mode.discrete,
        "data-flow": mode.flow === null ? "" : mode.flow,
        "data-refined": mode.refined === null ? "" : mode.refined,
      });
      const points = line(result.at, mode.share, place, top);
      element(group, "polyline", { points, class: "course", stroke: colour(k) });
      mark(group, place, mode.flow, "flow", k);
      if (mode.refined !== null) {
        element(group, "circle", { cx: place.x(mode.refined), cy: place.y(0.5), r: 4, class: "refined", stroke: colour(k) });
      }
      mark(group, place, mode.discrete, "discrete", k);
    });
    return result;
  }

  function number(value) {
    return value === null ? "–" : value.toLocaleString("en-GB", { maximumSignificantDigits: 4 });
  }

  function row(cells) {
    const made = document.createElement("tr");
    for (const text of cells) made.appendChild(document.createElement("td")).textContent = text;
    return made;
  }

  function startExplorer(recorded) {
    const form = document.getElementById("explorer-controls");
    const svg = document.getElementById("explorer-picture");
    const spectra = { ...SPECTRA };
    const option = form.elements.spectrum.querySelector("[value=data]");
    if (recorded) spectra.data = { sigma: recorded.sigma, lam: recorded.lam };
    else if (option) option.remove();
    let state = parsed(location.hash, spectra);
    let wished = state.delta; // comes back when the layers that could not have it are left

    function show() {
      form.elements.delta.max = DEEPEST[state.depth];
      for (const name of ["depth", "delta", "step", "spectrum"]) form.elements[name].value = state[name];
      document.getElementById("delta-value").textContent = state.delta;
      document.getElementById("step-value").textContent = state.step;
      document.getElementById("depth-value").textContent = state.depth;
      const spectrum = spectra[state.spectrum];
      const result = drawExplorer(svg, spectrum, state);
      document.getElementById("explorer-lesson").textContent = lesson(spectrum, state);
      document.getElementById("explorer-outcome").textContent = outcome(spectrum, result.eta, state.depth);
      document.getElementById("explorer-numbers").replaceChildren(
        ...result.modes.map((mode, k) =>
          row([k + 1, number(spectrum.sigma[k]), number(mode.halfway), number(mode.discrete), number(mode.refined), number(mode.flow)]),
        ),
      );
    }

    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => {
      const given = new URLSearchParams();
      for (const name of ["step", "depth", "spectrum"]) given.set(name, form.elements[name].value);
      const delta = Number(form.elements.delta.value);
      if (delta !== state.delta) wished = delta;
      given.set("delta", Math.min(wished, DEEPEST[form.elements.depth.value]));
      state = parsed(`#${given}`, spectra);
      show();
    });
    form.addEventListener("change", () => {
      history.replaceState(null, "", `#${new URLSearchParams(state)}`);
    });
    addEventListener("hashchange", () => {
      if (!/(^#|&)(delta|step|depth|spectrum)=/.test(location.hash)) return; // a link within the page
      state = parsed(location.hash, spectra);
      wished = state.delta;
      show();
    });
    addEventListener("resize", show);
    show();
  }

  // ---- measured courses of real data ---------------------------------------------------------

  function at(mode, name, iteration) {
    const after = mode.iteration.findIndex((each) => each >= iteration);
    if (after < 1) return mode[name][after === 0 ? 0 : mode[name].length - 1];
    const [x0, x1] = [mode.iteration[after - 1], mode.iteration[after]];
    const weight = (iteration - x0) / (x1 - x0);
    return mode[name][after - 1] * (1 - weight) + mode[name][after] * weight;
  }

  function startRecorded(recorded) {
    const svg = document.getElementById("recorded-picture");
    const reader = document.getElementById("recorded-iteration");
    const modes = recorded.modes.filter((mode) => mode.measured !== null);
    const first = 0.5 * Math.min(...modes.map((mode) => mode.measured));
    const last = 1.15 * Math.max(...modes.map((mode) => mode.measured));
    reader.min = Math.ceil(first);
    reader.max = Math.floor(last);
    reader.value = Math.round(modes[0].measured);
    let place;

    function read() {
      const iteration = Number(reader.value);
      const cursor = svg.querySelector(".cursor");
      cursor.setAttribute("x1", place.x(iteration));
      cursor.setAttribute("x2", place.x(iteration));
      document.getElementById("recorded-at").textContent = iteration;
      const away = (mode) => Math.abs(mode.measured - iteration);
      const near = modes.reduce((one, other) => (away(other) < away(one) ? other : one));
      const forecasts = recorded.laws.map((law, k) => `${law} ${compared(near.forecasts[k], near.measured)}`);
      document.getElementById("recorded-near").textContent =
        `Mode ${near.mode} was learned at ${near.measured.toFixed(0)}; forecast: ${forecasts.join(", ")}.`;
      const shares = modes.map((mode) => `mode ${mode.mode}: ${at(mode, "mean", iteration).toFixed(2)}`);
      document.getElementById("recorded-shares").textContent = `Learned shares at ${iteration}: ${shares.join(", ")}.`;
    }

    function compared(forecast, measured) {
      if (forecast === null) return "none";
      const percent = (100 * (forecast / measured - 1)).toFixed(1).replace("-", "−");
      return `${forecast.toFixed(0)} (${percent.startsWith("−") ? "" : "+"}${percent}\u00a0%)`;
    }

    function show() {
      place = axes(svg, first, last, 1.15, ["measured", ...recorded.laws.map((law) => law.split(" ")[0])]);
      modes.forEach((mode, k) => {
        const within = mode.iteration.map((each, j) => j).filter((j) => mode.iteration[j] >= first && mode.iteration[j] <= last);
        const xs = within.map((j) => mode.iteration[j]);
        const edge = (name) => within.map((j) => mode[name][j]);
        const band = line(xs, edge("low"), place, 1.15) + " " + line([...xs].reverse(), edge("high").reverse(), place, 1.15);
        element(svg, "polygon", { points: band, class: "band", fill: colour(k) });
        element(svg, "polyline", { points: line(xs, edge("mean"), place, 1.15), class: "course", stroke: colour(k) });
        const down = place.x(mode.measured);
        element(svg, "line", { x1: down, x2: down, y1: place.y(0.5), y2: place.bottom, class: "learned", stroke: colour(k) });
        [mode.measured, ...mode.forecasts].forEach((iteration, row) => {
          if (iteration === null) return;
          const [x, y] = [place.x(iteration), place.row(row)];
          element(svg, "line", { x1: x, x2: x, y1: y - 6, y2: y + 6, class: "tick", stroke: colour(k), "data-iteration": iteration });
        });
      });
      element(svg, "line", { x1: 0, x2: 0, y1: place.top, y2: place.bottom, class: "cursor" });
      read();
    }

    reader.addEventListener("input", read);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const share = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      const iteration = first + ((share - place.left) / (place.right - place.left)) * (last - first);
      reader.value = Math.round(iteration);
      read();
    });
    addEventListener("resize", show);
    show();
  }

  // ---- filters of the table of verdicts ------------------------------------------------------

  function startFilters() {
    const form = document.getElementById("filters");
    const rows = [...document.querySelectorAll("#all-verdicts tbody tr")];
    function filter() {
      const { source, verdict } = form.elements;
      for (const each of rows) {
        const kept =
          (!source.value || each.dataset.source === source.value) &&
          (!verdict.value || each.dataset.verdict === verdict.value);
        each.hidden = !kept;
      }
      const left = rows.filter((each) => !each.hidden).length;
      document.getElementById("filtered").textContent = `${left} of ${rows.length} shown`;
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", filter);
    for (const link of document.querySelectorAll("[data-show]")) {
      link.addEventListener("click", () => {
        form.elements.source.value = "";
        form.elements.verdict.value = link.dataset.show;
        filter();
      });
    }
    filter();
  }

  function start() {
    const data = document.getElementById("recorded");
    const recorded = data ? JSON.parse(data.textContent) : null;
    startExplorer(recorded);
    if (recorded) startRecorded(recorded);
    startFilters();
    // A link leads to something folded: open it, and what holds it.
    addEventListener("hashchange", () => {
      const target = document.getElementById(location.hash.slice(1));
      for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    });
    addEventListener("beforeprint", () => {
      for (const each of document.querySelectorAll("details.note, details.caption")) each.open = true;
    });
  }

  return { course, halfway, ticks, stiffness, outcome, parsed, computed, SPECTRA, start };
})();

if (document.getElementById("explorer-picture")) explorer.start();
