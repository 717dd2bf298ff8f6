import manifest from "../../package.json" with { type: "json" };

/** Set by the build (`build/bundle.ts`); absent where the sources run as they are. */
declare const __VERSION__: string | undefined;
declare const __COMMIT__: string | undefined;

/** Version of this program, as in `package.json`. */
export const version: string = typeof __VERSION__ === "undefined" ? manifest.version : __VERSION__;

/**
 * Git commit that this program was built from: twelve hex digits, followed by what is known to
 * differ from that commit, or words that say why there is none.
 */
export const commit: string = typeof __COMMIT__ === "undefined" ? "run from source" : __COMMIT__;
