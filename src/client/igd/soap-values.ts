/** Values in the reply to an action: by the table's name, checked, or a MalformedMessageError that names what is missing. */
import { MalformedMessageError } from '../../domain/errors.js'
import type { IgdActionName, OutArguments } from '../../wire/igd-actions.js'
import { leadingNumber, type SoapArguments } from '../../wire/soap.js'

type Name<A extends IgdActionName> = keyof OutArguments<A> & string

export function optionalText<A extends IgdActionName>(reply: SoapArguments, name: Name<A>): string {
  return reply.get(name.toLowerCase()) ?? ''
}

export function text<A extends IgdActionName>(reply: SoapArguments, action: A, name: Name<A>): string {
  const value = reply.get(name.toLowerCase())
  if (value === undefined) throw missing(action, name, reply)
  return value
}

export function number<A extends IgdActionName>(reply: SoapArguments, action: A, name: Name<A>): number {
  const value = leadingNumber(text(reply, action, name))
  if (value === undefined) throw missing(action, name, reply)
  return value
}

/** UDA 1.1 2.5, dataType boolean: 1 and 0, or the older words. */
export function boolean<A extends IgdActionName>(reply: SoapArguments, action: A, name: Name<A>): boolean {
  return isTrue(text(reply, action, name))
}

function isTrue(value: string): boolean {
  return /^(1|true|yes)$/i.test(value.trim())
}

/** Not the opposite of true: a router that says nothing has not said no. */
export function isFalse(value: string): boolean {
  return /^(0|false|no)$/i.test(value.trim())
}

export function missing(action: string, name: string, reply: SoapArguments): MalformedMessageError {
  return new MalformedMessageError(`${name} in the reply to ${action}`, [...reply.keys()].join(', '), { action })
}
