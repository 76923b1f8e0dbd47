// A small line chart of the last minutes.

import { h, svg } from "./dom.js";

const [WIDTH, HEIGHT] = [240, 56];

/**
 * A chart with a title and the newest value as text. Each line is a list of numbers, oldest first, with
 * `null` where nothing is known; `most` is how many a line has when it is full. The axis begins at 0 and
 * goes to the largest value, or to `ceiling` where that is more; `scale` writes that as text.
 */
export function chart(title, most, scale) {
  const axis = h("span", {});
  const value = h("span", { class: "figure" });
  const note = h("span", { class: "muted" });
  const paths = ["first", "second"].map((name) =>
    svg("path", { class: name, "vector-effect": "non-scaling-stroke" }),
  );
  const image = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    svg("path", {
      class: "base",
      d: `M0 ${HEIGHT - 1}H${WIDTH}`,
      "vector-effect": "non-scaling-stroke",
    }),
    paths,
  );
  return {
    element: h(
      "figure",
      { class: "chart" },
      h("figcaption", {}, h("span", {}, title), axis),
      value,
      image,
      note,
    ),
    draw(lines, shown, said, ceiling = 0) {
      const top = Math.max(ceiling, ...lines.flat().filter((one) => one !== null)) || 1;
      axis.textContent = `0 – ${scale(top)}`;
      paths.forEach((path, index) => path.setAttribute("d", drawn(lines[index] ?? [], top, most)));
      value.textContent = shown;
      note.textContent = said;
      image.setAttribute("aria-label", `${title}: ${shown}. ${said}`);
    },
  };
}

function drawn(line, top, most) {
  const step = WIDTH / (most - 1);
  const from = most - line.length;
  let pen = "M";
  return line
    .map((value, index) => {
      if (value === null) {
        pen = "M";
        return "";
      }
      const point = `${pen}${((from + index) * step).toFixed(1)} ${(HEIGHT - 2 - (value / top) * (HEIGHT - 6)).toFixed(1)}`;
      pen = "L";
      return point;
    })
    .join("");
}
