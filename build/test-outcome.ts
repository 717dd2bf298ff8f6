/** What came of tests or checks. */
export interface Outcome {
  passed: number;
  failures: Failure[];
  skips: Skip[];
}

export interface Failure {
  name: string;
  /** What it said: text of several lines. */
  details: string;
}

export interface Skip {
  name: string;
  reason: string;
}

export function pass(count = 1): Outcome {
  return { passed: count, failures: [], skips: [] };
}

export function fail(name: string, details: string): Outcome {
  return { passed: 0, failures: [{ name, details }], skips: [] };
}

export function skip(name: string, reason: string): Outcome {
  return { passed: 0, failures: [], skips: [{ name, reason }] };
}

export function addOutcomes(...outcomes: Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failures: outcomes.flatMap(({ failures }) => failures),
    skips: outcomes.flatMap(({ skips }) => skips),
  };
}
