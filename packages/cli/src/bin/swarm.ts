/** The program `swarm`. */
import { main } from '../command-line/main.ts';
import { SWARM } from '../specifications/swarm.ts';

await main(SWARM, process.argv.slice(2));
