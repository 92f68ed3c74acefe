/** What stands before the error about a wrong command line: how the command is written, or what commands there are. */
import { verbsOf } from '../../parse/help-words.js'
import { exampleOf, type Flag, labelOf } from '../../parse/option-table.js'
import { TABLES, type Tables } from '../../parse/output-options.js'
import { listed } from './layout.js'

/** The verbs of the shortest help. */
const FIRST_VERBS = ['open', 'close', 'list', 'status']

/** `-u URL` */
export function headOf(row: Flag & { readonly showsBothNames?: true }): string {
  const names = row.showsBothNames === true ? `${labelOf(row)}, --${row.flag}` : labelOf(row)
  return row.form === undefined ? names : `${names} ${row.form}`
}

/** About the command with this label, or about all if it is empty. */
export function briefUsage(label: string, tables: Tables = TABLES): string {
  const row = [...verbsOf(tables), ...tables.commands].find((each) => labelOf(each) === label)
  if (row !== undefined) return `usage: upnp-ts ${headOf(row)}\n`
  const verbs = verbsOf(tables).filter(({ flag }) => FIRST_VERBS.includes(flag))
  const lines = listed(
    verbs.map((row) => [`upnp-ts ${exampleOf(row)}`, row.help]),
    80,
  )
  return `usage: upnp-ts COMMAND, for example:\n${lines}more: upnp-ts help, and for upnpc's letters: upnp-ts help letters\n`
}
