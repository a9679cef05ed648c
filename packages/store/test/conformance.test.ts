/** The conformance suite over every store. */
import { describeStoreConformance } from '@quic-swarm/testkit';
import { LevelWorkbench, MemoryWorkbench } from './workbenches.ts';

describeStoreConformance('memory', () => new MemoryWorkbench());

describeStoreConformance('LevelDB', async () => LevelWorkbench.create(), { damageStepBytes: 29 });
