/** Answers what clients ask about what was learnt, hands it out as a whole, and takes in what another bank has learnt. */
import {
  REASONING_MEDIA_TYPE,
  SwarmError,
  decodeDocument,
  encodeDocument,
  type ControlReasoning,
  type QueryReasoning,
  type ReasoningAgentRow,
  type ReasoningArmRow,
  type ReasoningExplanation,
  type ReasoningReport,
  type ReasoningTypeRow,
} from '@quic-swarm/protocol';
import {
  explainTask,
  explainType,
  meanUtility,
  notesOf,
  type ReasoningBank,
  type ReasoningBankSnapshot,
  type TypeMemory,
} from '@quic-swarm/reasoning';
import type { DatasetDesk } from './dataset-desk.ts';
import type { Driver } from './driver.ts';

/** As many as a list in a message may have, and as the tracker keeps. */
const ROWS_MAX = 1000;

/** See the head of this file. */
export class ReasoningDesk {
  readonly #bank: ReasoningBank;
  readonly #driver: Driver;
  readonly #datasets: DatasetDesk;

  constructor(bank: ReasoningBank, driver: Driver, datasets: DatasetDesk) {
    this.#bank = bank;
    this.#driver = driver;
    this.#datasets = datasets;
  }

  /** The view that was asked for; rejects with EXPERIENCE_NOT_FOUND, or BAD_OPTION where it does not say of what. */
  async answer(query: QueryReasoning): Promise<ReasoningReport> {
    const { requestId, view, taskType } = query;
    switch (view) {
      case 'types':
        return {
          requestId,
          view,
          types: this.#typesOf(taskType).map((type) => this.#typeRow(type)),
        };
      case 'arms':
        return { requestId, view, arms: this.#armRows(this.#typeOf(taskType)) };
      case 'agents':
        return { requestId, view, agents: this.#agentRows(taskType) };
      case 'items':
        return { requestId, view, items: notesOf(this.#bank, taskType).slice(0, ROWS_MAX) };
      case 'explain':
        return { requestId, view, explanation: this.#explanation(query) };
      case 'export': {
        const { experiences, ...rest } = this.#bank.snapshot();
        // What is known for ever: raw experiences are of use to the bank alone that is going to resolve them.
        const exported = { ...rest, experiences: { ...experiences, ring: [] } };
        const bytes = encodeDocument(exported);
        return {
          requestId,
          view,
          datasetId: await this.#datasets.keep(REASONING_MEDIA_TYPE, bytes),
        };
      }
    }
  }

  /** Adds what another bank has learnt; rejects with BAD_INPUT or DATASET_NOT_FOUND. */
  async import({ datasetId }: ControlReasoning): Promise<void> {
    if (datasetId === undefined) {
      throw new SwarmError('BAD_OPTION', 'Nothing says what is to be taken in.', {
        hint: 'Upload an export and name it: swarm reasoning import FILE.',
      });
    }
    const bytes = await this.#datasets.bytesOf(datasetId, REASONING_MEDIA_TYPE);
    const snapshot = decodeDocument(bytes) as ReasoningBankSnapshot;
    try {
      this.#bank.requireMergeable(snapshot);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new SwarmError('BAD_INPUT', `The export cannot be taken in: ${message}`, {
        cause: error,
        hint: 'Make one with: swarm reasoning export FILE.',
      });
    }
    this.#driver.feed({ type: 'BankImported', snapshot });
  }

  #typesOf(taskType: string | undefined): TypeMemory[] {
    const types = [...this.#bank.types.values()];
    return types.filter(({ tunable }) => taskType === undefined || tunable.taskType === taskType);
  }

  #typeOf(taskType: string | undefined): TypeMemory {
    const type = this.#bank.types.get(taskType ?? '');
    if (type !== undefined) return type;
    const known = [...this.#bank.types.keys()].join(', ') || 'none yet';
    throw new SwarmError(
      'EXPERIENCE_NOT_FOUND',
      `Nothing is learnt about ${taskType ?? 'no task type'}; task types that are learnt about: ${known}.`,
      {
        hint: 'They come with agents whose handlers say what can be tuned; see swarm reasoning ls.',
      },
    );
  }

  #typeRow(type: TypeMemory): ReasoningTypeRow {
    const { adoption, space, tunable, changes } = type;
    const [defaultArmId = ''] = space.armIds;
    const { canary, incumbentArmId } = adoption;
    const statistics = this.#bank.experiences.armStatistics(tunable.taskType);
    const count = (of: 'recorded' | 'resolved'): number =>
      statistics.reduce((sum, each) => sum + each[of], 0);
    const adopted = incumbentArmId === defaultArmId ? 'watching' : 'adopted';
    const row: ReasoningTypeRow = {
      taskType: tunable.taskType,
      arms: space.arms.length,
      defaultArmId,
      incumbentArmId,
      stage: canary === undefined ? adopted : 'canary',
      recorded: count('recorded'),
      resolved: count('resolved'),
      changes,
    };
    if (canary === undefined) return row;
    return { ...row, candidateArmId: canary.armId, canaryPercent: canary.percent };
  }

  #armRows({ adoption, space, tunable }: TypeMemory): ReasoningArmRow[] {
    const statistics = new Map(
      this.#bank.experiences.armStatistics(tunable.taskType).map((each) => [each.armId, each]),
    );
    const verdicts = new Map(adoption.verdicts().map((each) => [each.candidateArmId, each]));
    return space.armIds.map((armId, index) => {
      const known = statistics.get(armId);
      const row: ReasoningArmRow = {
        armId,
        arm: space.arms[index] ?? {},
        isDefault: index === 0,
        isIncumbent: armId === adoption.incumbentArmId,
        recorded: known?.recorded ?? 0,
        resolved: known?.resolved ?? 0,
        scored: known?.scored ?? 0,
      };
      const mean = known === undefined ? undefined : meanUtility(known);
      if (mean !== undefined) row.meanUtility = mean;
      if (known !== undefined && known.recorded > 0) {
        row.meanComputeMs = known.computeMsSum / known.recorded;
      }
      const verdict = verdicts.get(armId);
      if (verdict !== undefined) row.verdict = verdict;
      return row;
    });
  }

  #agentRows(taskType: string | undefined): ReasoningAgentRow[] {
    const reports = this.#bank.agents.reports().slice(-ROWS_MAX);
    return reports
      .filter((report) => taskType === undefined || report.taskType === taskType)
      .map((report) => {
        const { agentId, outcomes: resolved, utility, latencyMs, calibration } = report;
        return {
          agentId,
          taskType: report.taskType,
          resolved,
          ...(utility && { recentUtility: utility.recent, longUtility: utility.long }),
          ...(latencyMs && {
            latencyP50Ms: latencyMs.p50,
            latencyP95Ms: latencyMs.p95,
            latencyP99Ms: latencyMs.p99,
          }),
          ...(calibration && {
            brier: calibration.brierScore,
            calibrationError: calibration.calibrationError,
          }),
          ...(report.coverage && { coverage: report.coverage.share }),
          ...(report.skill && { skill: report.skill.skill }),
        };
      });
  }

  #explanation({ taskId, taskType }: QueryReasoning): ReasoningExplanation {
    if (taskId === undefined) return explainType(this.#bank, this.#typeOf(taskType));
    const explanation = explainTask(this.#bank, taskId);
    if (explanation !== undefined) return explanation;
    throw new SwarmError(
      'EXPERIENCE_NOT_FOUND',
      `Nobody knows any more why task ${taskId} was given its arm, or it was given none.`,
      {
        hint: 'It is known of tasks that were submitted with learn, until the coordinator is started again.',
      },
    );
  }
}
