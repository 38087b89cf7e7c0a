/** The manners of folders; each rule returns what is wrong with a tree of files. */
import type { SourceFile, TidyProblem } from './tidy-rules.ts';

export const MAX_FOLDER_FILES = 16;

/** Who opens a folder sees what it is made of; what is too much to see at once has wings, named for their subject. */
export function crowdedFolders(files: readonly SourceFile[]): TidyProblem[] {
  const byFolder = Map.groupBy(
    files.filter(({ path }) => path.endsWith('.ts')),
    ({ path }) => path.slice(0, path.lastIndexOf('/')),
  );
  return [...byFolder].flatMap(([folder, { length }]) =>
    length > MAX_FOLDER_FILES ? [`${folder}/: ${length} files, of ${MAX_FOLDER_FILES}`] : [],
  );
}
