// What three.js makes of a GLB or a BVH: node pose.mjs FILE TIME_S... prints the names of its bones, the length of its
// animation, and the world positions of the bones at the given times.
import { readFileSync } from "node:fs";
import { AnimationMixer, LoopOnce, Vector3 } from "three";
import { BVHLoader } from "three/addons/loaders/BVHLoader.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

async function opened(path) {
  const bytes = readFileSync(path);
  if (path.endsWith(".bvh")) {
    const { skeleton, clip } = new BVHLoader().parse(bytes.toString("utf8"));
    return { root: skeleton.bones[0], bones: skeleton.bones.filter((bone) => bone.name !== "ENDSITE"), clip, morphs: [] };
  }
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const file = await new GLTFLoader().parseAsync(buffer, "");
  const meshes = [];
  file.scene.traverse((node) => node.isSkinnedMesh && meshes.push(node));
  const morphs = meshes.filter((mesh) => mesh.morphTargetDictionary);
  return { root: file.scene, bones: meshes[0].skeleton.bones, clip: file.animations[0], morphs };
}

const [path, ...times] = process.argv.slice(2);
const { root, bones, clip, morphs } = await opened(path);
const mixer = new AnimationMixer(root);
const action = mixer.clipAction(clip);
action.setLoop(LoopOnce);
action.clampWhenFinished = true;
action.play();
const positions = [];
const weights = [];
for (const time of times.map(Number)) {
  action.reset();
  mixer.setTime(time);
  root.updateMatrixWorld(true);
  positions.push(bones.map((bone) => bone.getWorldPosition(new Vector3()).toArray()));
  weights.push(morphs.map((mesh) => [...mesh.morphTargetInfluences]));
}
const faces = morphs.map((mesh) => Object.keys(mesh.morphTargetDictionary));
console.log(JSON.stringify({ names: bones.map((bone) => bone.name), duration_s: clip.duration, positions, faces, weights }));
