/** What is wrong or dubious in a configuration, gathered while it becomes a plan. */
import { type Path, placeOf, type TableNode } from './document.ts';
import { type Problem, problemAt } from './problem.ts';

export class Report {
  readonly problems: Problem[] = [];
  /** What stays out while the rest is right. */
  readonly refusals: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly root: TableNode;

  constructor(root: TableNode) {
    this.root = root;
  }

  /** The plan is not to be used. */
  problem(path: Path, message: string): void {
    this.problems.push(problemAt(placeOf(this.root, path), message));
  }

  warning(path: Path, message: string): void {
    this.warnings.push(problemAt(placeOf(this.root, path), message));
  }
}
