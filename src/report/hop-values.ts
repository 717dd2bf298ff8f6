/**
 * The figures of one hop record. They stand in an array of doubles, each in its place, because
 * millions of lines a second leave no time to allocate an object for each.
 */

/** Places in `HopValues`. Times are µs since 2020; what is unknown or does not apply is NaN. */
export const MS = 0;
export const RECEIVED_US = 1;
export const SEQUENCE = 2;
export const PATH_MS = 3;
export const ELAPSED_MS = 4;
export const INTENDED_US = 5;
export const RAW_MS = 6;
export const ERROR_MS = 7;
/** 1 where `ms` is as good as the system clocks (`clock: "system"`), else 0. */
export const IS_SYSTEM = 8;
export const LENGTH = 9;
export const HOP_VALUES = 10;

export type HopValues = Float64Array;

/** What all records of one stream of messages at one hop have in common. */
export interface HopSpec {
  key: string;
  /** Of the origin. */
  session: string;
  toId: string;
  clockId: string | null;
  from: string;
  to: string;
  route: string;
  flow: number;
  hop: number;
  hops: number;
  path: string;
  /** Whether the record has the totals of its path. */
  last: boolean;
  echo: boolean;
  transport: string | null;
  reporter: string;
  region: string | null;
}
