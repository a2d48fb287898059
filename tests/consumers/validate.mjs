// What Khronos' validator says of GLB files: node validate.mjs FILE... prints one JSON object, file -> issues.
import { readFileSync } from "node:fs";
import validator from "gltf-validator";

const found = {};
for (const path of process.argv.slice(2)) {
  const report = await validator.validateBytes(new Uint8Array(readFileSync(path)));
  found[path] = report.issues;
}
console.log(JSON.stringify(found));
