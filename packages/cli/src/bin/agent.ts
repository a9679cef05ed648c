/** The program `agent`. */
import { main } from '../command-line/main.ts';
import { AGENT } from '../specifications/servers.ts';

await main(AGENT, process.argv.slice(2));
