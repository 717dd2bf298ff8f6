/** What UDP sockets lost on this machine, for the summary of a run. */
import type { UdpSummary } from "./summary.ts";

interface Losses {
  sendFailures: number;
  kernelDrops: number | undefined;
}

export function udpSummary({ sendFailures, kernelDrops }: Losses, strange?: number): UdpSummary {
  return {
    send_failures: sendFailures,
    ...(kernelDrops !== undefined && { kernel_drops: kernelDrops }),
    ...(strange !== undefined && { strange }),
  };
}

/** What a reader must know of them. */
export function udpNotes({ send_failures, kernel_drops = 0 }: UdpSummary): string[] {
  const notes: string[] = [];
  if (send_failures > 0) {
    notes.push(`${send_failures} datagrams were not sent by this machine: they count as lost`);
  }
  if (kernel_drops > 0) {
    notes.push(
      `${kernel_drops} datagrams reached this machine and found no room: they count as lost`,
    );
  }
  return notes;
}
