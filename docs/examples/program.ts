import { data, DeviceError, interop } from 'tapegrad';
import { UsageError } from './options.ts';
import { ResumeError } from './run-folder.ts';

/** What a user can put right: the message says all. Anything else is a mistake in the program. */
const EXPECTED = [UsageError, ResumeError, interop.FileError, interop.FormatError, data.DataError, DeviceError];

/**
 * Runs a program to its end. An error that its user can put right is told in one sentence, with the exit code 1.
 *
 * @param main gets the command line and returns the exit code
 */
export async function runProgram(main: (args: string[]) => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    process.exitCode = 1;
    const expected = EXPECTED.some((kind) => error instanceof kind);
    console.error(expected ? (error as Error).message : error);
  }
}
