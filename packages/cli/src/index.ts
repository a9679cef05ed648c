/**
 * The commands are used through the bins `coordinator`, `agent` and `swarm`. What programs may want of them: the exit
 * codes, and the reader of CSV files.
 */
export { EXIT, exitCodeOf, type ExitCode } from './output/exit-codes.ts';
export { parseCsv, type CsvOptions, type CsvTable } from './input/csv.ts';
