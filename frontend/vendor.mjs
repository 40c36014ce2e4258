// Copies the files listed in wanted.json out of node_modules into static/vendor/ and writes
// static/vendor/VENDOR.json: where each file came from and its sha256.
//
//     npm ci && node vendor.mjs
//
// The result is committed, so running and testing the portal needs no Node.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = join(HERE, "node_modules");
const VENDOR = join(HERE, "..", "static", "vendor");

const wanted = JSON.parse(readFileSync(join(HERE, "wanted.json"), "utf8"));
const record = [];

function manifestOf(name) {
  return JSON.parse(readFileSync(join(MODULES, name, "package.json"), "utf8"));
}

function write({ name, to, content }) {
  const { version, license } = manifestOf(name);
  const path = join(VENDOR, to);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  record.push({
    file: to,
    name,
    version,
    licence: license,
    sha256: createHash("sha256").update(content).digest("hex"),
  });
}

/** The package's own one-icon files, joined into one file of symbols. */
function sprite(name, icons) {
  const symbols = icons.map((icon) => {
    const source = readFileSync(join(MODULES, name, "icons", `${icon}.svg`), "utf8");
    const shapes = source.match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1].trim();
    const indented = shapes.replaceAll(/\n\s*/g, "\n    ");
    return `  <symbol id="${icon}" viewBox="0 0 24 24">\n    ${indented}\n  </symbol>\n`;
  });
  const { version, license } = manifestOf(name);
  return (
    `<!-- ${name} ${version}, ${license}; see LICENSE in this folder -->\n` +
    `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("")}</svg>\n`
  );
}

rmSync(VENDOR, { recursive: true, force: true });
for (const { package: name, from, to } of wanted.files) {
  write({ name, to, content: readFileSync(join(MODULES, name, from)) });
}
write({
  name: wanted.sprite.package,
  to: wanted.sprite.to,
  content: sprite(wanted.sprite.package, wanted.sprite.icons),
});
record.sort((one, other) => one.file.localeCompare(other.file, "en"));
writeFileSync(join(VENDOR, "VENDOR.json"), JSON.stringify(record, null, 2) + "\n");
console.log(`${record.length} files in static/vendor/`);
