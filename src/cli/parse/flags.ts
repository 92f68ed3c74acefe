/** What a row of COMMANDS and a row of OPTIONS have in common: how it is written, and how it is described. */

export interface Flag {
  /** The long name, without its dashes. */
  readonly flag: string
  /** The short name, with its dash. */
  readonly letter?: string
  /** What follows it, as the usage text writes it; undefined if nothing does. */
  readonly form?: string
  /** What follows it, as a message asks for it, if that is not the form. */
  readonly wanted?: string
  /** What it does, and the default in brackets, for the usage text. */
  readonly help: string
}

export function longOf({ flag }: Pick<Flag, 'flag'>): string {
  return `--${flag}`
}

/** What messages and the usage text call it. */
export function labelOf({ letter, flag }: Pick<Flag, 'letter' | 'flag'>): string {
  return letter ?? longOf({ flag })
}

/** Where commander keeps what was given for it: `--add-any` is addAny. */
export function keyOf({ flag }: Pick<Flag, 'flag'>): string {
  return flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}
