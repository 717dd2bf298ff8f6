import { existsSync } from "node:fs";

/** The library that `faketime` lays under a program, where it is installed. */
export const FAKETIME_LIBRARY = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
].find(existsSync);
