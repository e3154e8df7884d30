import { packageFile } from './package-file.ts';

/** The King James Bible, one verse a line: four million characters of 60 kinds. */
export function readBible(): string {
  const verses = JSON.parse(packageFile('kjv/json/verses-1769.json').toString()) as Record<string, string>;
  // "# " begins a paragraph, and brackets hold words that the translators added.
  return Object.values(verses)
    .map((verse) => verse.replace(/^# |[[\]]/g, ''))
    .join('\n');
}
