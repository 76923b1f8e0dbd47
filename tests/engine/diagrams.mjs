// Reads BPMN files as modelers built on bpmn.io do, and tells what would not open or not show.
//
//     node diagrams.mjs DIRECTORY_WITH_NODE_MODULES FILE...
//
// Writes one JSON object: for each file what is wrong with it, and how many elements were looked at.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, ...files] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/package.json`));
const { BpmnModdle } = await import(pathToFileURL(require.resolve('bpmn-moddle')));

// What has no shape is told of where it is missing.
const isOnBorder = ({ x, y }, shape) => {
  if (!shape) return true;
  const { bounds } = shape;
  const within = (at, from, size) => at >= from && at <= from + size;
  return within(x, bounds.x, bounds.width) && within(y, bounds.y, bounds.height) &&
    (x === bounds.x || x === bounds.x + bounds.width || y === bounds.y || y === bounds.y + bounds.height);
};

const middle = ({ x, y, width, height }) => ({ x: x + width / 2, y: y + height / 2 });

const overlap = (a, b) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const check = async (file) => {
  const { rootElement, warnings } = await new BpmnModdle().fromXML(await readFile(file, 'utf8'));
  const wrong = warnings.map(({ message }) => message);
  const [plane] = rootElement.diagrams.map(({ plane }) => plane);
  const drawn = new Map(plane.planeElement.map((element) => [element.bpmnElement, element]));
  const [process] = rootElement.rootElements.filter(({ $type }) => $type === 'bpmn:Process');
  if (plane.bpmnElement !== process) wrong.push('the plane does not show the process');
  for (const element of process.flowElements) {
    const { id, sourceRef, targetRef } = element;
    const shown = drawn.get(element);
    if (!shown) {
      wrong.push(`${id} is not in the diagram`);
    } else if (element.$instanceOf('bpmn:SequenceFlow')) {
      const [from, to] = [shown.waypoint?.at(0), shown.waypoint?.at(-1)];
      if (!from || from === to) wrong.push(`${id} has no way`);
      else if (!isOnBorder(from, drawn.get(sourceRef))) wrong.push(`${id} does not leave ${sourceRef.id}`);
      else if (!isOnBorder(to, drawn.get(targetRef))) wrong.push(`${id} does not reach ${targetRef.id}`);
      if (!sourceRef.outgoing?.includes(element)) wrong.push(`${sourceRef.id} does not list ${id}`);
      if (!targetRef.incoming?.includes(element)) wrong.push(`${targetRef.id} does not list ${id}`);
    } else if (!(shown.bounds.width > 0 && shown.bounds.height > 0)) {
      wrong.push(`${id} has no size`);
    } else if (element.attachedToRef && !isOnBorder(middle(shown.bounds), drawn.get(element.attachedToRef))) {
      wrong.push(`${id} is not on the border of ${element.attachedToRef.id}`);
    }
  }
  const nodes = process.flowElements.filter(({ attachedToRef, sourceRef }) => !attachedToRef && !sourceRef);
  nodes.forEach((a, at) => nodes.slice(at + 1).forEach((b) => {
    const [left, right] = [drawn.get(a)?.bounds, drawn.get(b)?.bounds];
    if (left && right && overlap(left, right)) wrong.push(`${a.id} lies over ${b.id}`);
  }));
  const surplus = plane.planeElement.length - process.flowElements.length;
  if (surplus !== 0) wrong.push(`the diagram has ${surplus} elements more than the process`);
  return { wrong, elements: process.flowElements.length };
};

const checked = await Promise.all(files.map(async (file) => [file, await check(file)]));
console.log(JSON.stringify(Object.fromEntries(checked)));
