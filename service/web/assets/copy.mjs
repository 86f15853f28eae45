// Copies the few files that pages load from node_modules into ../static/vendor/<library>/, under names without versions.
// A file that its library no longer ships stops the set-up here, and not in somebody's browser.
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const vendor = join(here, "..", "static", "vendor");

const served = {
  "event-calendar": ["@event-calendar/build", ["dist/event-calendar.min.js", "dist/event-calendar.min.css"]],
  htmx: ["htmx.org", ["dist/htmx.min.js", "LICENSE"]],
  pico: ["@picocss/pico", ["css/pico.min.css", "LICENSE.md"]],
  "swagger-ui": [
    "swagger-ui-dist",
    ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "LICENSE"],
  ],
};

rmSync(vendor, { recursive: true, force: true });
for (const [name, [library, files]] of Object.entries(served)) {
  mkdirSync(join(vendor, name), { recursive: true });
  for (const file of files) {
    // A package for Python carries only files with an ending, and a licence must travel along.
    const plain = file === "LICENSE" ? "LICENSE.txt" : file.split("/").pop();
    cpSync(join(here, "node_modules", library, file), join(vendor, name, plain));
  }
}
