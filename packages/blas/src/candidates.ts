/** Where a system may keep its BLAS: file names, which its loader looks up, and folders beyond those it knows. */
interface Places {
  readonly names: readonly string[];
  readonly folders: readonly string[];
  /** Whole paths that are tried first. */
  readonly first?: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Netlib's plain libblas is not among them: our own kernels are faster. Neither are builds with 64-bit integers. */
const places: Readonly<Record<string, Places>> = {
  linux: {
    names: [
      'libopenblas.so.0',
      'libopenblas.so',
      'libmkl_rt.so.2',
      'libmkl_rt.so.1',
      'libmkl_rt.so',
      'libblis.so.4',
      'libblis.so.3',
      'libblis.so',
    ],
    folders: [
      '/usr/local/lib',
      '/usr/lib64',
      '/usr/lib',
      '/opt/OpenBLAS/lib',
      '/opt/intel/oneapi/mkl/latest/lib',
      '/opt/intel/oneapi/mkl/latest/lib/intel64',
    ],
  },
  darwin: {
    // The system has no file of this name, but its loader knows it.
    first: ['/System/Library/Frameworks/Accelerate.framework/Accelerate'],
    names: ['libopenblas.dylib', 'libopenblas.0.dylib', 'libmkl_rt.dylib', 'libmkl_rt.2.dylib', 'libblis.dylib'],
    folders: ['/opt/homebrew/opt/openblas/lib', '/usr/local/opt/openblas/lib', '/usr/local/lib'],
  },
  win32: {
    names: ['libopenblas.dll', 'openblas.dll', 'mkl_rt.2.dll', 'mkl_rt.1.dll', 'mkl_rt.dll'],
    folders: [],
  },
};

/**
 * What to try to load, the best first: what the system's loader finds by name, then files in the folders of conda and
 * MKL that the environment names, then files in common folders.
 */
export function candidates(
  platform: string,
  environment: Environment,
  exists: (path: string) => boolean,
): readonly string[] {
  const { first = [], names, folders } = places[platform] ?? places['linux']!;
  const separator = platform === 'win32' ? '\\' : '/';
  const named = [environment['CONDA_PREFIX'], environment['MKLROOT']].flatMap((root) =>
    root === undefined || root === '' ? [] : [[root, 'lib'].join(separator), [root, 'Library', 'bin'].join(separator)],
  );
  const files = [...named, ...folders].flatMap((folder) => names.map((name) => `${folder}${separator}${name}`));
  return [...first, ...names, ...files.filter(exists)];
}
