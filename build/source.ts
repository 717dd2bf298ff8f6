import { run } from "./run.ts";

/** Everything that a change of changes the executables. */
const ingredients = ["src", "build", "package.json", "package-lock.json", "tsconfig.json"];

/**
 * Names the commit that a source tree is at, for people who read it in an executable.
 *
 * @param root the project's folder
 * @returns twelve hex digits, with a remark if the tree differs from that commit; words if the
 * folder is no checkout of its own or git is not installed
 */
export async function describeCommit(root: string): Promise<string> {
  const git = (...args: string[]) => run("git", args, root);
  try {
    // A copy that lies inside somebody else's checkout is not at that one's commit.
    if (await git("rev-parse", "--show-prefix") !== "") return "unknown, built outside git";
    const hash = (await git("rev-parse", "HEAD")).slice(0, 12);
    const changes = await git("status", "--porcelain", "--", ...ingredients);
    return changes === "" ? hash : `${hash} with uncommitted changes`;
  } catch {
    return "unknown, built outside git";
  }
}
