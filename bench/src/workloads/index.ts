/** All workloads; child processes find them here by name. */
import type { Workload } from '../harness/model.ts';
import { connectCold, connectResumed } from './connect.ts';
import { decisions } from './decisions.ts';
import { fillQueue } from './fill-queue.ts';
import { idle } from './idle.ts';
import { indicatorWorkloads } from './indicators.ts';
import { kernelWorkloads } from './kernels.ts';
import { learnedParameters, learnerDecisions } from './learning.ts';
import { oneWay } from './one-way.ts';
import { openTogether } from './open-together.ts';
import { pipelined } from './pipelined.ts';
import { requestReply } from './request-reply.ts';
import { shardWorkloads } from './shards.ts';
import { lonelyRequests, streamPerRequest } from './stream-per-request.ts';
import { taskLatency, tasksInFlight } from './tasks.ts';
import { shortTasksInThreads, tinyTasksInThreads } from './tiny-tasks.ts';

export const workloads: readonly Workload[] = [
  requestReply,
  pipelined,
  oneWay,
  lonelyRequests,
  streamPerRequest,
  openTogether,
  connectCold,
  connectResumed,
  taskLatency,
  tasksInFlight,
  tinyTasksInThreads,
  shortTasksInThreads,
  fillQueue,
  idle,
  decisions,
  ...Object.values(kernelWorkloads),
  ...shardWorkloads,
  ...indicatorWorkloads,
  learnedParameters,
  learnerDecisions,
];
