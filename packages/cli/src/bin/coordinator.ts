/** The program `coordinator`. */
import { main } from '../command-line/main.ts';
import { COORDINATOR } from '../specifications/servers.ts';

await main(COORDINATOR, process.argv.slice(2));
