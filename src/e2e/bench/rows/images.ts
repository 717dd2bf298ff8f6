/** Compressed sizes of the container images, as a registry would hold them. */
import { buildImages, findContainerTools, HOST_ARCHITECTURE } from "../../containers.ts";
import type { Program } from "../../processes.ts";
import type { Contestant, Experiment } from "../experiment.ts";

function image(program: Program): Contestant {
  return {
    name: `performance-${program}'s image`,
    unable() {
      const tools = findContainerTools();
      return typeof tools === "string" ? tools : undefined;
    },
    async measure(owner) {
      const tools = findContainerTools();
      if (typeof tools === "string") throw new Error(tools);
      const images = await buildImages(tools);
      owner.after(images.close);
      const { layers } = await images.read(program, HOST_ARCHITECTURE);
      const sizes = layers.map(({ compressedBytes }) => compressedBytes / 1e6);
      return { addedMb: sizes.at(-1)!, wholeMb: sizes.reduce((sum, size) => sum + size, 0) };
    },
  };
}

export const imagesExperiment: Experiment = {
  name: "images",
  once: true,
  slow: true,
  // Both have the same layers but for one file, of much the same size.
  contestants: [image("server")],
  rows: [
    {
      what: "image, compressed: layer that is added",
      figure: "addedMb",
      unit: "MB",
      budget: { of: "figure", atMost: 45 },
    },
    {
      what: "image, compressed: whole",
      figure: "wholeMb",
      unit: "MB",
      budget: { of: "figure", atMost: 55 },
    },
  ],
};
