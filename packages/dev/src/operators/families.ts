import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { memberOf } from './spelling.ts';

/** Where operators are declared, by who is called: `x` and `tg` themselves, `F`, or a namespace. */
const folders: Readonly<Record<string, readonly string[]>> = {
  x: ['packages/core/src/ops', 'packages/core/src'],
  tg: ['packages/core/src/ops', 'packages/core/src/compositions', 'packages/core/src/linalg', 'packages/core/src'],
  F: ['packages/nn/src/functional', 'packages/core/src/ops', 'packages/core/src/compositions'],
  linalg: ['packages/core/src/linalg'],
  special: ['packages/core/src/special'],
  masked: ['packages/core/src/masked'],
};

/** Folders that are one family each; elsewhere every file is one. */
const namespaces: Readonly<Record<string, string>> = {
  'packages/core/src/linalg': 'linear algebra',
  'packages/core/src/special': 'special functions',
  'packages/core/src/masked': 'masked',
  'packages/nn/src/functional': 'nn.functional',
};

/** The family of what is declared or named in a file that is about something else. */
const elsewhere: Readonly<Record<string, string>> = {
  'dispatch.ts': 'create',
  'index.ts': 'special functions',
  'methods.ts': 'movement',
};

/** Operators that are declared together. */
export interface Family {
  readonly title: string;
  /** The file or the folder, from the root. */
  readonly source: string;
}

/** Finds the files in which names are declared. */
export class Families {
  private readonly declared = new Map<string, ReadonlyMap<string, string>>();
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** The family of what a call is of. */
  of(spelling: string): Family | undefined {
    const { owner, name } = memberOf(spelling);
    for (const folder of folders[owner] ?? folders['tg']!) {
      const file = this.filesOf(folder).get(name) ?? this.filesOf(folder).get(name.replace(/_$/, ''));
      const namespace = namespaces[folder] ?? elsewhere[file ?? ''];
      if (file !== undefined && namespace !== undefined) return { title: namespace, source: folder };
      if (file !== undefined) return { title: file.replace('.ts', '').replaceAll('-', ' '), source: `${folder}/${file}` };
    }
    return undefined;
  }

  /** The file of each exported name of a folder. */
  private filesOf(folder: string): ReadonlyMap<string, string> {
    let files = this.declared.get(folder);
    if (files === undefined) this.declared.set(folder, (files = declarations(path.join(this.root, folder))));
    return files;
  }
}

/** What the files of a folder export, under which names, and the getters that methods.ts defines. */
const DECLARATION = /^export (?:const|function) (\w+)|^export \{ ([^}]*) \}|^ {4}(\w+): \{\s+get\(/gm;

function declarations(folder: string): Map<string, string> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts')).sort();
  return new Map(
    files.flatMap((file) => {
      const found = [...readFileSync(path.join(folder, file), 'utf8').matchAll(DECLARATION)];
      const names = found.flatMap(([, own, list, getter]) => own ?? getter ?? list!.split(',').map((item) => /\w+\s*$/.exec(item)![0]));
      return names.map((name): [string, string] => [name, file]);
    }),
  );
}
