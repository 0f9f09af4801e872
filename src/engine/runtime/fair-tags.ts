/**
 * Round robin over workflows, as start-time fair queuing: a task's tag is one more than the larger of the type's
 * virtual time (the tag last handed out) and its workflow's last tag. A workflow that queues a thousand tasks at once
 * spreads them over a thousand tags; a newcomer's first task gets the very next one.
 */
export class FairTags {
  private readonly virtualTimes = new Map<string, number>();
  private used = new Set<string>();

  next(taskType: string, lastOfWorkflow: number): number {
    this.used.add(taskType);
    return Math.max(this.virtualTimes.get(taskType) ?? 0, lastOfWorkflow) + 1;
  }

  /**
   * The types that got tags since the last call. Other nodes may have handed out more of them: their virtual times
   * have to be read again, or this node's tasks would overtake theirs.
   */
  takeUsed(): readonly string[] {
    const used = [...this.used];
    this.used = new Set();
    return used;
  }

  /** A task with this tag was handed out, or is now the lowest that waits. */
  advance(taskType: string, tag: number): void {
    if (tag > (this.virtualTimes.get(taskType) ?? 0)) this.virtualTimes.set(taskType, tag);
  }
}
