/** Flag: what the rows of COMMANDS and OPTIONS have in common, which is how to write one and how to describe it. */

export interface Flag {
  /** The long name, without its dashes. */
  readonly flag: string
  /** The short name, with its dash. */
  readonly letter?: string
  /** What follows the flag, as the usage text writes it; undefined if nothing does. */
  readonly form?: string
  /** What follows the flag, as an error message asks for it; undefined if the form will do. */
  readonly wanted?: string
  /** What the flag does, for the usage text; a default is in brackets. */
  readonly help: string
}

export function longOf({ flag }: Pick<Flag, 'flag'>): string {
  return `--${flag}`
}

/** The name that messages and the usage text use: the letter, if there is one. */
export function labelOf({ letter, flag }: Pick<Flag, 'letter' | 'flag'>): string {
  return letter ?? longOf({ flag })
}

/** The key under which commander stores the value: `--add-any` is addAny. */
export function keyOf({ flag }: Pick<Flag, 'flag'>): string {
  return flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}
