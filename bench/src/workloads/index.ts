/** All workloads; child processes find them here by name. */
import type { Workload } from '../harness/model.ts';
import { oneWay } from './one-way.ts';
import { pipelined } from './pipelined.ts';
import { requestReply } from './request-reply.ts';

export const workloads: readonly Workload[] = [requestReply, pipelined, oneWay];
