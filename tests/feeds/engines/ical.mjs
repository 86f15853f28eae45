// One question on standard input, one answer on standard output, both JSON; see ical_js.py.
import { readFileSync, writeFileSync } from "node:fs";
import { occurrences, parsed, written } from "./calendar.mjs";

const { do: task, feeds, since, until } = JSON.parse(readFileSync(0, "utf8"));
const answer = {};
for (const [name, text] of Object.entries(feeds)) {
  answer[name] = task === "list" ? listed(text) : properties(text);
}
writeFileSync(1, JSON.stringify(answer));

function listed(text) {
  const [from, to] = [since, until].map((moment) => Date.parse(moment) / 1000);
  return occurrences(parsed(text), from, to).map(({ starts, ends, item }) => [
    written(starts),
    written(ends),
    item.summary ?? "",
  ]);
}

function properties(text) {
  try {
    const found = [];
    const walk = (component) => {
      for (const property of component.getAllProperties()) {
        found.push([component.name, property.name, String(property.getFirstValue())]);
      }
      component.getAllSubcomponents().forEach(walk);
    };
    walk(parsed(text));
    return found;
  } catch (fault) {
    return [["", "fault", String(fault)]];
  }
}
