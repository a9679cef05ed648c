/**
 * Tasks that wait with equal needs and equal priority. Those with different fairness keys take turns, a task each
 * (round robin: deficit round robin for tasks that all count the same; Shreedhar and Varghese, "Efficient Fair Queueing
 * Using Deficit Round Robin", SIGCOMM 1995), so that whoever submits a thousand does not stand before whoever submits one.
 * Within a key it is first in, first out; tasks without a key have one in common.
 */
import { Chain, type Link } from '@quic-swarm/protocol';
import type { Task } from './task.ts';

/** The tasks of one key that has some. */
interface Turn extends Link<Turn> {
  readonly tasks: Chain<Task>;
}

/** See the head of this file. */
export class Lane {
  /** Those that have tasks, in the order in which they are next. */
  readonly #turns = new Chain<Turn>();
  /** Of tasks without a key. Almost no task has one, and what is for all should cost them nothing. */
  readonly #plain: Turn = createTurn();
  readonly #keyed = new Map<string, Turn>();

  /** The task that is next. */
  get first(): Task | undefined {
    return this.#turns.first?.tasks.first;
  }

  /** Puts a task behind the others of its key. */
  push(task: Task): void {
    const turn = this.#turnOf(task);
    if (turn.tasks.size === 0) this.#turns.push(turn);
    turn.tasks.push(task);
  }

  /** Puts a task back that was taken: before the others of its key, and where that has none, before all. */
  unshift(task: Task): void {
    const turn = this.#turnOf(task);
    if (turn.tasks.size === 0) this.#turns.unshift(turn);
    turn.tasks.unshift(task);
  }

  /** Takes a task out because it has come to its turn: the other keys are next. */
  take(task: Task): void {
    const turn = this.#turnOf(task);
    this.remove(task);
    if (turn.tasks.size === 0 || this.#turns.size === 1) return;
    this.#turns.remove(turn);
    this.#turns.push(turn);
  }

  /** Takes a task out before its turn. */
  remove(task: Task): void {
    const turn = this.#turnOf(task);
    turn.tasks.remove(task);
    if (turn.tasks.size > 0) return;
    this.#turns.remove(turn);
    if (task.terms.fairnessKey !== undefined) this.#keyed.delete(task.terms.fairnessKey);
  }

  /** All tasks, in the order in which they would be taken. */
  *[Symbol.iterator](): Generator<Task, void, undefined> {
    if (this.#turns.size === 1) {
      yield* this.#turns.first?.tasks ?? [];
      return;
    }
    let places = [...this.#turns].map(({ tasks }) => tasks.first);
    while (places.length > 0) {
      const left: (Task | undefined)[] = [];
      for (const task of places) {
        if (task === undefined) continue;
        left.push(task.next);
        yield task;
      }
      places = left;
    }
  }

  #turnOf({ terms }: Task): Turn {
    const { fairnessKey } = terms;
    if (fairnessKey === undefined) return this.#plain;
    let turn = this.#keyed.get(fairnessKey);
    if (turn === undefined) {
      turn = createTurn();
      this.#keyed.set(fairnessKey, turn);
    }
    return turn;
  }
}

function createTurn(): Turn {
  return { tasks: new Chain(), next: undefined, previous: undefined };
}
