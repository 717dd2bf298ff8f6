/** A failure whose message explains it to the user: the program ends with that line, exit code 1. */
export class Failure extends Error {
  override name = "Failure";
}
